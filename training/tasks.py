"""Tasks: what churn and acceptance mean, and the labels that follow."""

from dataclasses import dataclass
from typing import Literal

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import field_validator

from features import clock
from features.batch import Spine
from features.errors import DataError
from features.history import History
from features.identities import owners
from features.sections import Roles, Section, parse_days

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]
UNTIL_VALID_TO = "until valid_to"


class Churn(Section):
    """``[churn]``: who counts as a customer, and when one is lost.

    At an instant, the cohort is those with a value interaction in the last ``active`` days (and,
    by the definition "exit", no exit yet). Lost is who has, in the ``horizon`` that begins
    ``gap`` later, no value interaction ("lapse") or an exit ("exit").
    """

    definition: Literal["lapse", "exit"] = "lapse"
    horizon: str = "28d"
    active: str = "60d"
    gap: str = "0d"

    @field_validator("horizon", "active", "gap")
    @classmethod
    def _days(cls, text: str) -> str:
        parse_days(text)
        return text

    @field_validator("horizon", "active")
    @classmethod
    def _positive(cls, text: str) -> str:
        if parse_days(text) == 0:
            raise ValueError("at least '1d'")
        return text

    @property
    def horizon_us(self) -> int:
        """Length of the label window, in microseconds."""
        return parse_days(self.horizon) * clock.DAY

    @property
    def active_days(self) -> int:
        """Days back in which a value interaction makes a customer part of the cohort."""
        return parse_days(self.active)

    @property
    def gap_us(self) -> int:
        """Time between the instant and the label window, in microseconds."""
        return parse_days(self.gap) * clock.DAY


class OfferTask(Section):
    """``[offer]``: accepted counts until the offer ends, or for so long after it was shown."""

    horizon: str = UNTIL_VALID_TO

    @field_validator("horizon")
    @classmethod
    def _known(cls, text: str) -> str:
        if text != UNTIL_VALID_TO and parse_days(text) == 0:
            raise ValueError("at least '1d'")
        return text


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows to learn from: when each was decided and when its label was complete.

    ``as_of`` and ``ends`` are microseconds UTC; a row may teach only what is decided at or
    after its ``ends``. ``left_out`` counts, by reason, the rows that have no sound label.
    """

    spine: Spine
    label: Int8
    ends: Int64
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.label)


def churn_labels(history: History, roles: Roles, task: Churn, spine: Spine) -> Int8:
    """Return 1 for each row of the spine whose customer is lost, else 0.

    The label window ``[as_of + gap, as_of + gap + horizon)`` must lie before ``known_until``. A
    row looks at all keys that were known to be the same customer's before its window closed.
    """
    kinds = roles.kinds("value" if task.definition == "lapse" else "exit")
    events = _of_kinds(history, kinds)
    occurred = np.array(events["occurred_at"], dtype=np.int64)
    opens = spine.as_of + task.gap_us
    closes = opens + task.horizon_us
    happened = np.zeros(len(spine), dtype=bool)
    alike = (
        [closes == at for at in np.unique(closes)]
        if len(history.identities)
        else [np.ones(len(spine), dtype=bool)]
    )
    for rows in (rows for rows in alike if rows.any()):
        known_by = int(closes[rows].max())
        seen = (occurred >= opens[rows].min()) & (occurred < known_by)
        who = spine.customer_id.filter(rows)
        persons = _owners_at(history, who, known_by)
        customers = persons.unique()
        theirs = pc.index_in(
            _owners_at(history, events["customer_id"].filter(seen), known_by), customers
        )
        codes = np.array(theirs.fill_null(-1), dtype=np.int64)
        order = np.lexsort((occurred[seen], codes))
        row_codes = np.array(pc.index_in(persons, customers), dtype=np.int64)
        happened[rows] = (
            _count_in(codes[order], occurred[seen][order], row_codes, opens[rows], closes[rows]) > 0
        )
    lost = ~happened if task.definition == "lapse" else happened
    return lost.astype(np.int8)


def _owners_at(history: History, keys: pa.Array | pa.ChunkedArray, at: int) -> pa.Array:
    return owners(history.identities, keys, np.full(len(keys), at, dtype=np.int64))


def _count_in(
    codes: Int64, occurred: Int64, row_codes: Int64, opens: Int64, closes: Int64
) -> Int64:
    """Count, for each row, its customer's events in ``[opens, closes)``; events are sorted."""
    times = np.unique(occurred)
    base = len(times) + 1
    events = codes * base + np.searchsorted(times, occurred)
    first = np.searchsorted(events, row_codes * base + np.searchsorted(times, opens))
    last = np.searchsorted(events, row_codes * base + np.searchsorted(times, closes))
    return last - first


def offer_examples(history: History, roles: Roles, task: OfferTask) -> Examples:
    """Return the episodes: one row for each offer shown, labelled by whether it was accepted.

    An acceptance belongs to the latest earlier showing of that offer to that customer, under any
    key that was known to be theirs when they accepted; the row is that of the customer whose the
    key was known to be when it was shown. Episodes
    of an offer that is not in the table or had ended, those from before the first value
    interaction (their past is not known) and those that were still open at ``known_until`` are
    left out and counted.

    Raises:
        DataError: there is no offer shown or accepted.
    """
    connection = duckdb.connect()
    shown, accepted = roles.kinds("offer_shown"), roles.kinds("offer_accepted")
    table = history.interactions
    offers = pa.table(
        {
            "offer_id": pa.array(history.offers, pa.string()),
            "valid_to": pa.array([o.valid_to for o in history.offers.values()], pa.int64()),
        }
    )
    connection.register("offers", offers)
    for name, kinds in (("shown", shown), ("taken", accepted)):
        connection.register(name, _of_persons(history, kinds))
    end = (
        "valid_to"
        if task.horizon == UNTIL_VALID_TO
        else f"least(valid_to, occurred_at + {parse_days(task.horizon) * clock.DAY})"
    )
    connection.execute(
        f"CREATE TEMP TABLE episode AS SELECT DISTINCT customer_id, person, offer_id, occurred_at, "
        f"if(valid_to IS NULL, NULL, {end}) AS ends FROM shown LEFT JOIN offers USING (offer_id)"
    )
    _match(connection, history)
    episodes = connection.sql(
        """
        WITH outcome AS (
            SELECT customer_id, offer_id, occurred_at, min(taken_at) AS accepted_at
            FROM (FROM taken_of QUALIFY
                  rank() OVER (PARTITION BY place ORDER BY occurred_at DESC) = 1)
            GROUP BY ALL)
        SELECT e.*, coalesce(o.accepted_at < e.ends, false) AS label
        FROM episode e LEFT JOIN outcome o USING (customer_id, offer_id, occurred_at)
        ORDER BY e.occurred_at, e.offer_id, e.customer_id
        """
    ).to_arrow_table()
    (orphans,) = connection.execute(
        "SELECT count(*) FROM taken ANTI JOIN taken_of USING (place)"
    ).fetchall()[0]
    connection.close()
    if len(episodes) == 0:
        raise DataError(
            "offer model",
            "no offers shown",
            "interactions of a kind in [roles] offer_shown",
            "Add the table of what was shown or mailed to whom, or leave out [offers].",
        )
    value = table.filter(pc.field("kind").isin(roles.kinds("value")))["occurred_at"]
    first = pc.min(value).as_py() or 0
    known_end = episodes.filter(pc.field("ends").is_valid())
    running = known_end.filter(pc.field("ends") > pc.field("occurred_at"))
    before = running.filter(pc.field("occurred_at") >= first)
    complete = before.filter(pc.field("ends") <= history.known_until)
    label = np.array(complete["label"], dtype=np.int8)
    left_out = {
        "offer not in the table of offers": len(episodes) - len(known_end),
        "shown after the offer had ended": len(known_end) - len(running),
        "shown before the history begins": len(running) - len(before),
        "still open when the history ends": len(before) - len(complete),
        "accepted without having been shown": int(orphans),
    }
    if len(label) == 0:
        reasons = ", ".join(f"{n} {why}" for why, n in left_out.items() if n)
        raise DataError(
            "offer model",
            f"no offers shown that can be labelled ({reasons})",
            "offers of the table, shown after the history begins and closed before it ends",
            "Give every offer its valid_to, or set [offer] horizon to less, such as '30d'.",
        )
    if label.sum() == 0:
        raise DataError(
            "offer model",
            f"{len(label)} offers shown and none accepted",
            "interactions of a kind in [roles] offer_accepted, with the offer's id",
            "Check that both tables name offers alike.",
        )
    return Examples(
        spine=Spine(
            complete["customer_id"].combine_chunks(),
            np.array(complete["occurred_at"], dtype=np.int64),
            complete["offer_id"].combine_chunks(),
        ),
        label=label,
        ends=np.array(complete["ends"], dtype=np.int64),
        left_out=left_out,
    )


def _of_kinds(history: History, kinds: tuple[str, ...]) -> pa.Table:
    # A role may have no kinds, and a list of nothing has no type of its own.
    return history.interactions.filter(pc.field("kind").isin(pa.array(kinds, pa.string())))


def _match(connection: duckdb.DuckDBPyConnection, history: History) -> None:
    """Register as ``taken_of`` which earlier showings each acceptance may belong to."""
    pairs = connection.sql(
        "SELECT t.place, t.customer_id AS taker, t.occurred_at AS taken_at, e.customer_id, "
        "e.offer_id, e.occurred_at FROM taken t JOIN episode e ON t.person = e.person "
        "AND t.offer_id = e.offer_id AND e.occurred_at <= t.occurred_at"
    ).to_arrow_table()
    then = np.array(pairs["taken_at"], dtype=np.int64)
    whose = owners(history.identities, pairs["customer_id"], then)
    connection.register("taken_of", pairs.filter(pc.equal(whose, pairs["taker"].combine_chunks())))


def _of_persons(history: History, kinds: tuple[str, ...]) -> pa.Table:
    """Return interactions of kinds: whose they were then, and who that is by all that is known."""
    table = _of_kinds(history, kinds)
    keys, occurred = table["customer_id"], table["occurred_at"]
    return pa.table(
        {
            "place": np.arange(len(table)),
            "customer_id": owners(history.identities, keys, np.array(occurred, dtype=np.int64)),
            "person": owners(history.identities, keys),
            "offer_id": table["offer_id"],
            "occurred_at": occurred,
        }
    )
