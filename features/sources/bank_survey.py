"""What the simulated bank takes from published surveys, and what it assumes beside them.

For tests and teaching: figures of surveys are what people say they would do. They are read as
*relative* hazards, and one scale makes about 10 % of customers a year leave after bad treatment.
"""

from typing import NamedTuple


class Behaviour(NamedTuple):
    """How the simulated customers and their bank behave.

    Source, where it says "survey": Engagement 3.0, 2,007 UK adults, 2013. The rest is assumed.
    Grievances are in the survey's unit: the share of people who would leave.
    """

    # Survey: 18 % leave after one bad experience, 62 % by the third.
    leave_after_one: float = 0.18
    leave_by_third: float = 0.62
    # To consider leaving counts a quarter of leaving: assumed. A slow reply (.12 + .25 / 4) then
    # weighs what one bad experience does (.18).
    considering: float = 0.25
    # Survey: a slow reply makes 12 % leave and 25 % consider it.
    slow_leave: float = 0.12
    slow_consider: float = 0.25
    # Survey: 21 % consider leaving when they must repeat information, 12 % for a wrong offer.
    repeat_consider: float = 0.21
    misfit_consider: float = 0.12
    # Small grievances fade by half in so many days: assumed.
    grievance_half_life: float = 30.0
    # Survey: 24 % need over a year to trust again, 23 % never do.
    trust_slow: float = 0.24
    trust_never: float = 0.23
    # Days in which a bad experience loses half its weight; trust is back after three of them:
    # half a year, a year and a half. Assumed, to agree with "over a year".
    quick_half_life: float = 60.0
    slow_half_life: float = 180.0
    # Survey: 10 % left after bad treatment in a year; of those who leave 68 % do so for it, 14 %
    # for the product, 9 % for a competitor's offer; the remaining 9 % are other reasons.
    treatment_share: float = 0.68
    product_share: float = 0.14
    competitor_share: float = 0.09
    leave_a_year: float = 0.10
    # Daily hazard per unit of intent, fitted so that `leave_a_year` comes out over two years.
    scale: float = 0.0034
    # Survey: 44 % abandon a purchase after two hand-overs.
    abandon: float = 0.44
    # Survey: 89 % favour their own channel: so many of the contacts that they begin come by it.
    own_channel: float = 0.89
    # Survey: 85 % welcome an offer at exactly the right time. Who welcomes it accepts it at once
    # every second time: assumed.
    welcome: float = 0.85
    accept_welcome: float = 0.5
    # Shares of other offers accepted, by fit: assumed.
    accept_interest: float = 0.08
    accept_fit: float = 0.015
    accept_misfit: float = 0.003
    # Days after a complaint in which no offer fits: assumed.
    complaint_rest: float = 14.0
    # How often, a year: offers shown, needs for a product, referrals of the content. Assumed.
    offers: float = 8.0
    needs: float = 1.2
    referrals: float = 0.4
    # The bank's service, assumed: shares of mishaps told, of cases solved at each contact, of
    # hand-overs at which the customer must repeat everything, of contacts reviewed.
    told: float = 0.6
    solved: float = 0.6
    repeats: float = 0.7
    reviews: float = 0.25
    # Minutes after which a reply is slow (one in five is), and the mean price of a product, each in
    # the order of the vocabularies. Assumed.
    patience: tuple[float, ...] = (480.0, 480.0, 15.0, 20.0, 1440.0, 240.0)
    prices: tuple[float, ...] = (40.0, 60.0, 400.0, 50.0, 120.0, 200.0, 150.0)
    # Days in which each offer is made, one a topic; the household that each is for in turn, -1 any.
    quarter: int = 91
    for_household: tuple[int, ...] = (-1, 0, -1, 1, -1, 2)

    @property
    def slow_grievance(self) -> float:
        """The weight of a slow reply."""
        return self.slow_leave + self.considering * self.slow_consider

    @property
    def leave_otherwise(self) -> float:
        """The share of customers a year who leave for other reasons than treatment."""
        return self.leave_a_year * (1.0 - self.treatment_share) / self.treatment_share


SURVEY = Behaviour()
"""The behaviour of the simulated bank, unless a test sets another."""
