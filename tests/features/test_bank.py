"""The simulated bank: the survey's figures found in its tables, and its truth in its exits."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score

from features.settings import read_settings
from features.sources.bank import daily_hazard
from features.sources.bank_survey import SURVEY
from features.sources.bank_tables import TABLES, TRUTH, ZONE, write_tables
from features.sources.bank_truth import expected_leaving, leaving_probability
from features.sources.reader import read_history

ROOT = Path(__file__).parents[2]
CUSTOMERS = 20_000
Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank") / "data" / "bank"
    assert write_tables(folder, CUSTOMERS, seed=1)
    return folder


def asked(folder: Path, query: str) -> list[tuple[object, ...]]:
    """Rows of a query in which ``{name}`` is a table's file; days are those of London."""
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{ZONE}'")
        files = {Path(name).stem: f"'{folder / name}'" for name in TABLES}
        return connection.execute(query.format(**files)).fetchall()


def numbers(folder: Path, query: str) -> tuple[float, ...]:
    """The one row of a query, as numbers."""
    (row,) = asked(folder, query)
    return tuple(float(str(value)) for value in row)


def expected_exits(truth: pa.Table) -> Floats:
    """The sum of each row's daily hazards while it held, shape ``(n,)``."""
    end = pa.scalar(date(2025, 1, 1))
    days = pc.days_between(truth["since"], truth["until"].fill_null(end)).to_numpy()
    base, memory, half_life, grievance = (
        truth[name].to_numpy() for name in ("base", "memory", "memory_half_life", "grievance")
    )
    total = np.zeros(len(truth))
    for age in range(int(days.max())):
        on = np.flatnonzero(days > age)
        remembered = memory[on] * 0.5 ** (age / half_life[on])
        annoyed = grievance[on] * 0.5 ** (age / SURVEY.grievance_half_life)
        total[on] += daily_hazard.py_func(SURVEY, base[on], remembered, annoyed)
    return total


def test_a_tenth_leaves_each_year_after_bad_treatment_and_fewer_for_other_reasons(
    folder: Path,
) -> None:
    (years,) = numbers(
        folder,
        "SELECT sum(date_diff('day', s, coalesce(l, DATE '2025-01-01'))) / 365 "
        "FROM (SELECT min(since) AS s, max(left_on) AS l FROM {truth} GROUP BY customer)",
    )
    left = asked(folder, "SELECT reason, count(*) FROM {truth} WHERE reason <> '' GROUP BY 1")
    per_year = {str(reason): float(str(n)) / years for reason, n in left}
    assert per_year["treatment"] == pytest.approx(0.10, abs=0.006)
    shares = {reason: rate / sum(per_year.values()) for reason, rate in per_year.items()}
    assert shares == pytest.approx(
        {"treatment": 0.68, "product": 0.14, "competitor": 0.09, "other": 0.09}, abs=0.02
    )


def test_the_hazard_runs_through_the_surveys_points() -> None:
    hazard = [daily_hazard(SURVEY, 0.0, n, 0.0) / SURVEY.scale for n in (0.0, 0.5, 1.0, 2.0, 3.0)]
    assert hazard == pytest.approx([0.0, 0.09, 0.18, 0.40, 0.62])
    assert daily_hazard(SURVEY, 0.0, 7.0, 0.0) == daily_hazard(SURVEY, 0.0, 3.0, 0.0)
    assert daily_hazard(SURVEY, 0.001, 0.0, 0.0) == 0.001
    assert SURVEY.slow_grievance == pytest.approx(0.12 + 0.25 / 4)


def test_who_never_forgets_leaves_after_one_and_three_experiences_as_18_to_62(
    tmp_path: Path,
) -> None:
    unforgiving = SURVEY._replace(
        trust_never=1.0, trust_slow=0.0, considering=0.0, slow_leave=0.0, treatment_share=1.0
    )
    write_tables(tmp_path, 8_000, 3, behaviour=unforgiving)
    rate = (
        "sum((left_on IS NOT NULL)::INT) FILTER (memory {0}) / "
        "sum(date_diff('day', since, coalesce(until, DATE '2025-01-01'))) FILTER (memory {0})"
    )
    rates = ", ".join(rate.format(n) for n in ("= 0", "= 1", ">= 3"))
    none, one, three = numbers(tmp_path, f"SELECT {rates} FROM {{truth}}")
    assert none == 0
    assert one / three == pytest.approx(18 / 62, rel=0.12)


def test_two_hand_overs_abandon_44_percent_of_purchases_and_fewer_none(folder: Path) -> None:
    found = asked(
        folder,
        "SELECT n - 1, avg((p.case_no IS NULL)::INT) FROM "
        "(SELECT case_no, count(*) AS n FROM {contact_centre} GROUP BY 1 "
        " HAVING bool_and(type = 'enquiry') AND max(contacted_at) < '2024-12-20') "
        "LEFT JOIN (SELECT DISTINCT case_no FROM {accounts} WHERE movement = 'purchase') p "
        "USING (case_no) GROUP BY 1",
    )
    abandoned = {int(str(n)): float(str(share)) for n, share in found}
    assert set(abandoned) == {0, 1, 2}
    assert abandoned[2] == pytest.approx(0.44, abs=0.02)
    assert max(abandoned[0], abandoned[1]) < 0.01


def test_89_percent_of_the_cases_that_customers_open_come_by_their_own_channel(
    folder: Path,
) -> None:
    (share,) = numbers(
        folder,
        "SELECT avg((medium = preferred_channel)::INT) FROM (SELECT any_value(client) AS customer, "
        "arg_min(medium, contacted_at) AS medium FROM {contact_centre} GROUP BY case_no) "
        "JOIN (SELECT DISTINCT customer, preferred_channel FROM {customers}) USING (customer)",
    )
    assert share == pytest.approx(0.89, abs=0.01)


def test_24_percent_need_over_a_year_to_trust_again_and_23_never_do(folder: Path) -> None:
    never, slow, quick = numbers(
        folder,
        "SELECT avg(isinf(h)::INT), avg((isfinite(h) AND 3 * h > 365)::INT), "
        "avg((3 * h <= 365)::INT) "
        "FROM (SELECT any_value(memory_half_life) AS h FROM {truth} GROUP BY customer)",
    )
    assert (never, slow, quick) == pytest.approx((0.23, 0.24, 0.53), abs=0.015)


SHOWN = """
    WITH shown AS (
        SELECT c.customer, c.happened_at AS at, c.offer, c.product, o.for_household,
            k.household, k.known_at
        FROM {campaigns} c JOIN {offers} o ON o.offer_id = c.offer
        ASOF JOIN {customers} k ON k.customer = c.customer AND k.known_at <= c.happened_at::DATE
        WHERE event = 'offer_shown' AND c.happened_at < '2024-12-01')
"""


def test_an_offer_for_another_household_raises_the_hazard_and_a_fitting_one_does_not(
    folder: Path,
) -> None:
    found = asked(
        folder,
        SHOWN + "SELECT for_household IN ('any', household), median(coalesce(jump, 0)) FROM "
        "(SELECT s.*, t.grievance - coalesce(b.grievance * 0.5 ** "
        f"  (date_diff('day', b.since, t.since) / {SURVEY.grievance_half_life}), 0) AS jump "
        " FROM shown s LEFT JOIN {truth} t "
        " ON t.customer = s.customer AND t.since = s.at::DATE + 1 "
        " LEFT JOIN {truth} b ON b.customer = s.customer AND b.until = t.since) "
        "GROUP BY 1",
    )
    jumps = {bool(fits): float(str(jump)) for fits, jump in found}
    faded = 0.5 ** (1 / SURVEY.grievance_half_life)
    assert jumps[False] == pytest.approx(0.12 / 4 * faded, rel=0.01)
    assert jumps[True] == 0


def test_offers_at_the_right_time_are_welcome_to_85_percent_who_take_every_second(
    folder: Path,
) -> None:
    found = asked(
        folder,
        SHOWN + ", timely AS (SELECT s.*, EXISTS (FROM (SELECT any_value(client) AS client, "
        "  min(contacted_at) AS asked, any_value(subject) AS subject FROM {contact_centre} "
        "  GROUP BY case_no HAVING bool_and(type = 'enquiry')) e "
        "  WHERE e.client = s.customer AND e.subject = s.product AND e.asked::DATE <= s.at::DATE "
        "  AND s.at::DATE < e.asked::DATE + 45 AND NOT EXISTS (FROM {accounts} a "
        "    WHERE a.account_holder = s.customer AND movement = 'purchase' AND product = s.product "
        "    AND a.booked_at::DATE BETWEEN e.asked::DATE AND s.at::DATE)) AS timely, "
        " EXISTS (FROM {campaigns} t WHERE t.customer = s.customer AND t.offer = s.offer "
        "  AND t.event = 'offer_accepted' AND t.happened_at BETWEEN s.at AND s.at + INTERVAL 11 DAY"
        " ) AS taken FROM shown s WHERE for_household IN ('any', household)) "
        "SELECT timely, avg(taken::INT), count(*) FROM timely GROUP BY 1",
    )
    taken = {bool(timely): float(str(share)) for timely, share, _ in found}
    assert taken[True] == pytest.approx(0.85 / 2, abs=0.05)
    assert taken[False] < 0.06


def test_nothing_happens_after_a_cancellation(folder: Path) -> None:
    tables = {
        "accounts": ("account_holder", "booked_at", "movement <> 'cancellation'"),
        "contact_centre": ("client", "contacted_at", "true"),
        "visits": ("customer", "visited_at", "true"),
        "surveys": ("customer", "answered", "true"),
        "campaigns": ("customer", "happened_at", "true"),
    }
    for table, (customer, at, which) in tables.items():
        query = (
            f"SELECT count(*) FROM {{{table}}} JOIN (SELECT account_holder AS who, booked_at AS "
            f"gone FROM {{accounts}} WHERE movement = 'cancellation') ON who = {customer} "
            f"WHERE {which} AND {at}::DATE >= gone::DATE"
        )
        assert numbers(folder, query) == (0,), table
    twice = "SELECT count(*) - count(DISTINCT account_holder) FROM {accounts} WHERE movement = "
    assert numbers(folder, twice + "'cancellation'") == (0,)


def test_the_true_hazards_add_up_to_those_who_left(folder: Path) -> None:
    truth = pq.read_table(folder / TRUTH)
    expected, memory = expected_exits(truth), truth["memory"].to_numpy()
    left = truth["left_on"].is_valid().to_numpy()
    assert expected.sum() == pytest.approx(left.sum(), rel=0.04)
    for low, high in ((0.0, 0.5), (0.5, 1.5), (1.5, np.inf)):
        some = (memory >= low) & (memory < high)
        assert expected[some].sum() == pytest.approx(left[some].sum(), rel=0.10)


def test_the_truth_ranks_those_who_leave_within_a_quarter(folder: Path) -> None:
    day = date(2024, 6, 1)
    truth = leaving_probability(folder / TRUTH, day, 90)
    query = "SELECT customer, left_on FROM {truth} WHERE left_on >= '2024-06-01'"
    gone = {c for c, on in asked(folder, query) if on < date(2024, 8, 30)}  # type: ignore[operator]
    customers = truth["customer"].to_pylist()
    assert len(set(customers)) == len(customers) > 0.7 * CUSTOMERS
    label = [customer in gone for customer in customers]
    probability = truth["probability"].to_numpy()
    assert 0.65 < roc_auc_score(label, probability) < 0.80
    assert 0.6 < probability.mean() / np.mean(label) < 1, "what happens later is not foreseen"


def test_what_is_to_come_is_in_the_expected_probability_of_leaving(folder: Path) -> None:
    day = date(2024, 6, 1)
    hazard = leaving_probability(folder / TRUTH, day, 90)
    found = expected_leaving(folder / TRUTH, day, 90)
    query = "SELECT customer, left_on FROM {truth} WHERE left_on >= '2024-06-01'"
    gone = {c for c, on in asked(folder, query) if on < date(2024, 8, 30)}  # type: ignore[operator]
    customers = found["customer"].to_pylist()
    assert customers == hazard["customer"].to_pylist()
    label = [customer in gone for customer in customers]
    p, least = found["probability"].to_numpy(), hazard["probability"].to_numpy()
    assert p.sum() == pytest.approx(np.sum(label), rel=0.10)
    assert np.mean(p < 0.95 * least) < 0.02, "nothing that happens makes anybody stay"
    assert expected_leaving(folder / TRUTH, day, 90).equals(found)


def test_the_probability_of_leaving_is_that_of_the_days_one_by_one(folder: Path) -> None:
    day = date(2024, 6, 1)
    found = leaving_probability(folder / TRUTH, day, 3)
    rows = {
        row["customer"]: row
        for row in pq.read_table(folder / TRUTH).to_pylist()
        if (row["since"] <= day and (row["until"] is None or day < row["until"]))
    }
    assert found["customer"].to_pylist() == list(rows)
    for row, probability in list(zip(rows.values(), found["probability"].to_pylist(), strict=True))[
        :300
    ]:
        stays = 1.0
        for ahead in range(3):
            age = (day - row["since"]).days + ahead
            memory = row["memory"] * 2 ** (-age / row["memory_half_life"])
            intent = 0.18 * memory if memory < 1 else 0.18 + 0.22 * (min(memory, 3) - 1)
            grievance = row["grievance"] * 2 ** (-age / 30)
            stays *= 1 - row["base"] - SURVEY.scale * (intent + grievance)
        assert probability == pytest.approx(1 - stays)


def test_e_mails_and_branch_contacts_are_recorded_the_next_morning(folder: Path) -> None:
    late, others = numbers(
        folder,
        "SELECT count(*) FILTER (late AND logged_at = contacted_at::DATE + "
        "INTERVAL '1 day 6 hours') / count(*) FILTER (late), "
        "count(*) FILTER (NOT late AND logged_at <> contacted_at) "
        "FROM (SELECT *, medium IN ('email', 'branch') AS late FROM {contact_centre})",
    )
    assert (late, others) == (1, 0)


def test_the_same_seed_gives_the_same_bytes_and_is_written_once(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    steps: list[int] = []
    assert write_tables(first, 1_200, 5, steps.append)
    assert steps == [1_000, 200]
    assert not write_tables(first, 1_200, 5, steps.append)
    assert len(steps) == 2
    assert write_tables(second, 1_200, 5)
    assert write_tables(other, 1_200, 6)
    for name in TABLES:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
        same = (first / name).read_bytes() == (other / name).read_bytes()
        assert same == (name == "offers.csv"), name
    assert write_tables(second, 1_200, 6)
    assert (second / TRUTH).read_bytes() == (other / TRUTH).read_bytes()


def test_a_customer_lives_the_same_life_among_more_customers(tmp_path: Path) -> None:
    few, more = tmp_path / "few", tmp_path / "more"
    write_tables(few, 700, 2)
    write_tables(more, 1_300, 2)
    names = {"customers": "customer", TRUTH: "customer", "contact_centre": "client"}
    for name, customer in names.items():
        file = Path(name).with_suffix(".parquet").name
        theirs = pc.field(customer) <= 700
        alone, among = pq.read_table(few / file), pq.read_table(more / file, filters=theirs)
        assert len(alone) >= 700
        assert alone.equals(among), name


def test_its_settings_read_every_table_but_the_truth(tmp_path: Path) -> None:
    write_tables(tmp_path / "data" / "bank", 500, 1)
    path = shutil.copy(ROOT / "rapport-bank.toml", tmp_path)
    settings = read_settings(path)
    sources = {Path(s.source).name for s in (*settings.interactions, *settings.attributes)}
    assert sources | {"offers.csv"} == set(TABLES) - {TRUTH}
    history = read_history(settings)
    kinds = set(history.interactions["kind"].unique().to_pylist())
    assert kinds == settings.roles.all_kinds()
    repeats = [note for note in history.notes if "id came before" in note]
    assert repeats == []
    running = [
        o for o in history.offers.values() if o.valid_from < history.known_until < o.valid_to
    ]
    assert len(running) == 7


def test_it_says_that_it_is_simulated_wherever_it_shows(tmp_path: Path) -> None:
    from features.__main__ import commands

    arguments = ["bank-data", "--folder", str(tmp_path), "--customers", "10", "--seed", "7"]
    for outcome in ("written", "already"):
        done = CliRunner().invoke(commands, arguments)
        assert done.exit_code == 0, done.output
        assert outcome in done.output
        assert "Simulated: for tests and teaching" in done.output
    for name in TABLES:
        if name.endswith(".parquet"):
            metadata = pq.read_schema(tmp_path / name).metadata
            assert metadata[b"description"].startswith(b"Simulated")
    assert "SIMULATED" in (ROOT / "rapport-bank.toml").read_text().splitlines()[0]
