"""The rules of contact: what is held back, and the fact behind it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from features import clock
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.sections import Roles
from serving.policy import Eligibility, Policy
from serving.rules import (
    FREQUENCY,
    RULES,
    SILENCE,
    Moment,
    channels_for,
    holding,
    in_control_group,
)
from serving.situation import Situation, situation_of

ZONE = "America/New_York"
END = clock.to_instant(clock.to_datetime(0).replace(year=2017, month=12, day=25, hour=5), "UTC")
NOW = END - 1
OFFER = Offer(
    "18",
    topics=frozenset({"loan"}),
    channels=frozenset({"post", "app"}),
    valid_from=END - 10 * clock.DAY,
    valid_to=END,
    customer_value=4.0,
    attributes={"for_household": "family", "for_all": "any"},
)
ROLES = Roles(
    value=("purchase",),
    negative=("complaint",),
    offer_shown=("offer_shown",),
    offer_accepted=("offer_accepted",),
    offer_declined=("offer_declined",),
)


def happened(kind: str, days_ago: float, offer_id: str | None = None) -> Interaction:
    at = END - int(days_ago * clock.DAY)
    return Interaction("c", at, at, kind, offer_id=offer_id)


def told(
    *happened: Interaction,
    policy: dict[str, Any] | None = None,
    facts: dict[str, str] | None = None,
    channel: str | None = None,
    as_of: int = NOW,
    **more: Any,
) -> dict[str, str]:
    """Every rule that holds the offer back, with its fact."""
    attributes = [Attribute("c", clock.EVER, *fact) for fact in (facts or {}).items()]
    situation = situation_of("c", as_of, happened, attributes, ROLES)
    situation = Situation(**{name: getattr(situation, name) for name in situation.__slots__} | more)
    moment = Moment(Policy(**policy or {}), situation, OFFER, channel, ZONE)
    return {held.rule: held.because for held in holding(moment)}


def test_nothing_holds_an_offer_back_without_a_reason() -> None:
    assert told(happened("purchase", 1), channel="post") == {}
    assert told() == {}


@pytest.mark.parametrize(
    ("as_of", "channel", "expected"),
    [
        (END, "post", {"validity": "ended on 24 December 2017"}),
        (OFFER.valid_from - 1, "post", {"validity": "begins on 15 December 2017"}),
        (OFFER.valid_from, "post", {}),
        (NOW, "phone", {"channel": "made by app, post only"}),
        (NOW, None, {}),
    ],
)
def test_when_and_where(as_of: int, channel: str | None, expected: dict[str, str]) -> None:
    assert told(as_of=as_of, channel=channel) == expected


def test_an_accepted_offer_is_not_made_again_unless_the_policy_says_so() -> None:
    taken = happened("offer_accepted", 3, "18")
    assert told(taken) == {"accepted": "accepted on 22 December 2017"}
    assert told(taken, policy={"repeat_accepted": True}) == {}
    assert told(happened("offer_accepted", 3, "19")) == {}


def test_a_refusal_is_an_answer_for_a_while() -> None:
    no = happened("offer_declined", 3, "18")
    fact = "refused on 22 December 2017: not again before 21 January 2018"
    assert told(no) == {"refusal": fact}
    assert told(happened("offer_declined", 31, "18")) == {}
    assert told(happened("offer_declined", 3, "19")) == {}
    assert told(no, policy={"after_refusal": "0d"}) == {}


def test_quiet_after_a_complaint() -> None:
    complaint = happened("complaint", 4)
    fact = "complaint on 21 December 2017: quiet until 4 January 2018"
    assert told(complaint) == {"complaint": fact}
    assert told(happened("complaint", 15)) == {}
    assert told(complaint, policy={"quiet_after_complaint": "0d"}) == {}
    older = happened("complaint", 4), happened("complaint", 40)
    assert told(*older) == {"complaint": fact}, "the latest counts"


def test_what_is_not_known_yet_holds_nothing_back() -> None:
    late = Interaction("c", END - 5 * clock.DAY, END, "complaint")
    assert told(late) == {}
    assert told(Interaction("c", END, END, "complaint")) == {}


def test_quiet_while_a_case_is_open() -> None:
    assert told(cases_open=2.0) == {"open_case": "2 cases still open"}
    assert told(cases_open=1.0, policy={"quiet_while_open": False}) == {}
    assert told(cases_open=float("nan")) == {}


def test_consent_is_asked_for_where_the_policy_names_it() -> None:
    policy = {"consent": "may_contact"}
    assert told(policy=policy) == {"consent": "may contact is not known"}
    assert told(policy=policy, facts={"may_contact": "no"}) == {"consent": "may contact is 'no'"}
    for yes in ("yes", "True", " granted ", "1.0"):
        assert told(policy=policy, facts={"may_contact": yes}) == {}


def test_consent_of_each_channel() -> None:
    policy = {"channel_consent": "consent_{channel}"}
    by_app = {"consent_app": "yes", "consent_post": "no"}
    assert told(policy=policy, facts=by_app, channel="app") == {}
    assert told(policy=policy, facts=by_app) == {}, "one of the offer's channels is enough"
    assert told(policy=policy, facts=by_app, channel="post") == {
        "consent": "no consent to contact by post"
    }
    assert told(policy=policy) == {"consent": "no consent to contact by app or post"}


@pytest.mark.parametrize(
    ("asked", "facts", "expected"),
    [
        (
            {"attribute": "household", "offer_attribute": "for_household"},
            {"household": "family"},
            None,
        ),
        (
            {"attribute": "household", "offer_attribute": "for_household"},
            {"household": "single"},
            "for household family; theirs is 'single'",
        ),
        (
            {"attribute": "household", "offer_attribute": "for_household"},
            {},
            "for household family; theirs is not known",
        ),
        ({"attribute": "household", "offer_attribute": "for_all"}, {}, None),
        ({"attribute": "household", "offer_attribute": "nothing said"}, {}, None),
        ({"attribute": "town", "one_of": ("Bath", "Ayr")}, {"town": "Ayr"}, None),
        (
            {"attribute": "town", "one_of": ("Bath", "Ayr")},
            {"town": "York"},
            "for town Bath or Ayr; theirs is 'York'",
        ),
        ({"attribute": "age", "at_least": 18}, {"age": "18.0"}, None),
        (
            {"attribute": "age", "at_least": 18, "at_most": 65},
            {"age": "17"},
            "age is 17, at least 18 and at most 65 is asked",
        ),
        (
            {"attribute": "age", "at_least": 18},
            {"age": "old"},
            "age is not known, at least 18 is asked",
        ),
        ({"attribute": "age", "at_least": 18, "topics": ("savings",)}, {"age": "3"}, None),
        ({"signal": "visits", "at_least": 2}, {}, None),
        ({"signal": "visits", "at_most": 2}, {}, "visits is 3, at most 2 is asked"),
        ({"signal": "silence", "at_most": 2}, {}, "silence is not known, at most 2 is asked"),
    ],
)
def test_an_offer_fits_whom_it_is_for(
    asked: dict[str, Any], facts: dict[str, str], expected: str | None
) -> None:
    policy = {"eligibility": (Eligibility(**asked),)}
    found = told(policy=policy, facts=facts, signals={"visits": 3.0})
    assert found == ({} if expected is None else {"eligibility": expected})


def test_an_offer_brings_the_customer_something_too() -> None:
    assert told(policy={"minimum_customer_value": 4.0}) == {}
    assert told(policy={"minimum_customer_value": 4.01}) == {
        "benefit": "worth 4.00 to the customer, at least 4.01 is asked"
    }


def test_the_control_group_is_stable_and_of_the_share_asked_for() -> None:
    inside = [c for c in map(str, range(10_000)) if in_control_group(c, 0.1)]
    assert 900 < len(inside) < 1100
    assert set(inside) <= {c for c in map(str, range(10_000)) if in_control_group(c, 0.2)}
    assert told(policy={"control_share": 1.0}) == {
        "control": "in the control group, to which nothing is proposed"
    }


def test_every_rule_that_holds_is_told() -> None:
    found = told(
        happened("complaint", 1),
        happened("offer_accepted", 2, "18"),
        channel="phone",
        policy={"consent": "may_contact", "control_share": 1.0},
        cases_open=1.0,
    )
    assert set(found) == {"channel", "consent", "accepted", "complaint", "open_case", "control"}


@pytest.mark.parametrize(
    ("channel", "facts", "policy", "expected"),
    [
        (None, {}, {}, ("app", "post")),
        (None, {"preferred_channel": "post"}, {}, ("post", "app")),
        (None, {"preferred_channel": "phone"}, {}, ("app", "post")),
        ("app", {"preferred_channel": "post"}, {}, ("app",)),
        (
            None,
            {"preferred_channel": "post", "may_app": "yes"},
            {"channel_consent": "may_{channel}"},
            ("app",),
        ),
        (None, {"preferred_channel": "post"}, {"preferred_channel": ""}, ("app", "post")),
    ],
)
def test_the_preferred_channel_comes_first(
    channel: str | None, facts: dict[str, str], policy: dict[str, Any], expected: tuple[str, ...]
) -> None:
    situation = Situation("c", NOW, attributes=facts)
    assert channels_for(Moment(Policy(**policy), situation, OFFER, channel, ZONE)) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"attribute": "a", "signal": "b", "at_least": 1},
        {"attribute": "a"},
        {"signal": "a", "one_of": ("b",)},
        {"attribute": "a", "one_of": ("b",), "offer_attribute": "c"},
        {"attribute": "a", "at_least": float("nan")},
    ],
)
def test_an_eligibility_asks_one_question(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[Ee]ligibility"):
        Eligibility(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_after_complaint": "two weeks"},
        {"channel_consent": "consent"},
        {"control_share": 1.5},
        {"per_day": -1},
        {"unknown": 1},
    ],
)
def test_a_policy_that_says_nothing_sensible_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Policy(**wrong)


def test_the_documented_settings_are_valid_and_the_defaults_are_those_of_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    (settings,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    policy = Policy.model_validate(tomllib.loads(settings)["policy"])
    assert (policy.per_week, len(policy.eligibility)) == (3, 2)
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|$", page, re.MULTILINE)
    assert {rule for rule, _, _ in rows} == {*RULES, FREQUENCY, SILENCE}
    defaults = {**Policy().model_dump(), "consent": "off", "channel_consent": "off"}
    defaults |= {"eligibility": "off", "minimum_customer_value": 0, "control_share": 0}
    for _, names, told in rows:
        named = re.findall(r"`(\w+)`", names.replace("[[policy.", "`").replace("]]", "`"))
        said = [text.strip(' `"') for text in told.split(",")] * len(named)
        for name, value in zip(named, said[: len(named)], strict=True):
            assert str(defaults[name]).lower() == value, name
