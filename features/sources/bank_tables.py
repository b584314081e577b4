"""The simulated bank's data, written as the plain tables that a bank's silos would hold.

For tests and teaching: nobody in them exists. Each table says so in its metadata. Everything after
these tables treats them as any user's own files; ``truth.parquet`` is for comparison alone and is
no source.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from features import clock
from features.sources import bank
from features.sources.bank_people import BEGIN, BLOCK, DAYS, people
from features.sources.bank_records import (
    AGES,
    CHANNELS,
    DEPARTMENTS,
    EVENT,
    HOUSEHOLDS,
    KINDS,
    REASONS,
    STATE,
    TOPICS,
    Records,
)
from features.sources.bank_survey import SURVEY, Behaviour

ZONE = "Europe/London"
SIMULATED = "Simulated: for tests and teaching. Nobody in this table exists."
TRUTH = "truth.parquet"
SILOS = {
    "accounts.parquet": (bank.PURCHASE, bank.RENEWAL, bank.CANCELLATION),
    "contact_centre.parquet": (bank.ENQUIRY, bank.SERVICE_REQUEST, bank.COMPLAINT),
    "visits.parquet": (bank.VISIT,),
    "surveys.csv": (bank.REVIEW, bank.REFERRAL),
    "campaigns.parquet": (bank.OFFER_SHOWN, bank.OFFER_ACCEPTED, bank.OFFER_DECLINED),
}
TABLES = (*SILOS, "customers.parquet", "offers.csv", TRUTH)
_BEGIN = np.datetime64(BEGIN, "D")


def write_tables(
    folder: Path,
    customers: int,
    seed: int,
    progress: Callable[[int], object] = lambda customers: None,
    behaviour: Behaviour = SURVEY,
) -> bool:
    """Write two years of a simulated bank; nothing is done when the same are there.

    Args:
        folder: created when it does not exist.
        customers: how many; each is the same person however many there are.
        seed: the same seed gives the same bytes.
        progress: called with the number of customers done since it was called last.
        behaviour: how they and their bank behave.

    Returns:
        Whether anything was written.
    """
    facts = {"customers": customers, "seed": seed, "behaviour": behaviour._asdict()}
    about = {"description": SIMULATED, "simulation": json.dumps(facts)}
    if all((folder / name).exists() for name in TABLES) and _simulation(folder) == about:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writers: dict[str, pq.ParquetWriter | csv.CSVWriter] = {}
        for block in range((customers + BLOCK - 1) // BLOCK):
            who = people(behaviour, seed, block)[: customers - block * BLOCK]
            for name, table in _tables(behaviour, who).items():
                table = table.replace_schema_metadata(about)
                if name not in writers:
                    writers[name] = stack.enter_context(_writer(_partial(folder, name), table))
                writers[name].write_table(table)
            progress(len(who))
    csv.write_csv(_offers(behaviour), _partial(folder, "offers.csv"))
    for name in TABLES:
        _partial(folder, name).rename(folder / name)
    return True


def _simulation(folder: Path) -> dict[str, str]:
    """Return what the truth says of the simulation that it belongs to."""
    metadata = pq.read_schema(folder / TRUTH).metadata or {}
    wanted = (b"description", b"simulation")
    return {key.decode(): metadata.get(key, b"").decode() for key in wanted}


def _partial(folder: Path, name: str) -> Path:
    return folder / f"{name}.partial"


def _writer(path: Path, table: pa.Table) -> pq.ParquetWriter | csv.CSVWriter:
    if path.name.startswith("surveys"):
        return csv.CSVWriter(path, table.schema)
    return pq.ParquetWriter(path, table.schema)


def _tables(behaviour: Behaviour, who: Records) -> dict[str, pa.Table]:
    """Simulate customers; return the tables that grow with them."""
    first = who.copy()
    events = np.empty(len(who) * DAYS * bank.MOST_ROWS_A_DAY, dtype=EVENT)
    states = np.empty(len(who) * (DAYS + 1), dtype=STATE)
    n_events, n_states = bank.simulate(behaviour, DAYS, who, events, states)
    events, states = events[:n_events], states[:n_states]
    tables = {
        name: _silo(name, events[np.isin(events["kind"], kinds)]) for name, kinds in SILOS.items()
    }
    tables["customers.parquet"] = _customers(first, who)
    tables[TRUTH] = _truth(behaviour, who, states)
    return tables


def _silo(name: str, rows: Records) -> pa.Table:
    """Return one system's table, under that system's own names."""
    rows = rows[np.argsort(rows["at"], kind="stable")]
    customer, number = pa.array(rows["customer"]), pa.array(rows["id"])
    kind, channel = _words(KINDS, rows["kind"]), _words(CHANNELS, rows["channel"])
    topic, case = _words(TOPICS, rows["topic"]), _whole(rows["case"])
    at, recorded = _instants(rows["at"]), _instants(rows["recorded"])
    columns: dict[str, dict[str, pa.Array]] = {
        "accounts.parquet": {"account_holder": customer, "booked_at": at, "booking": number}
        | {"movement": kind, "via": channel, "product": topic, "case_no": case}
        | {"amount": _number(rows["amount"])},
        "contact_centre.parquet": {"client": customer, "contacted_at": at, "logged_at": recorded}
        | {"contact_no": number, "type": kind, "medium": channel, "subject": topic}
        | {"case_no": case, "department": _words(DEPARTMENTS, rows["department"])}
        | {"minutes_waited": _number(rows["wait"]), "promised_by": _instants(rows["due"])}
        | {"solved": pa.array(rows["solved"] == 1, mask=rows["solved"] < 0)},
        "visits.parquet": {"customer": customer, "visited_at": at, "logged_at": recorded}
        | {"visit_id": number, "place": channel, "page": topic},
        # the survey tool writes what the clock on the wall showed
        "surveys.csv": {"customer": customer, "answered": _local(rows["at"]), "answer_id": number}
        | {"kind": kind, "about": topic, "case_no": case, "score": _number(rows["rating"])},
        "campaigns.parquet": {"customer": customer, "happened_at": at, "event_id": number}
        | {"event": kind, "medium": channel, "product": topic, "offer": _whole(rows["offer"])},
    }
    return pa.table(columns[name])


def _customers(first: Records, last: Records) -> pa.Table:
    """Return who the customers are; one whose household changed has a second row."""
    gone = np.where(last["left"] < 0, DAYS, last["left"])
    moved = (first["moves"] > first["joined"]) & (first["moves"] < gone)
    later = first[moved]
    later["household"] = later["next_household"]
    who = np.concatenate([first, later])
    known = np.concatenate([first["joined"], later["moves"]])
    order = np.lexsort((known, who["number"]))
    who, known = who[order], known[order]
    return pa.table(
        {
            "customer": pa.array(who["number"]),
            "known_at": _dates(known),
            "age_band": _words(AGES, who["age"]),
            "household": _words(HOUSEHOLDS, who["household"]),
            "preferred_channel": _words(CHANNELS, who["own"]),
        }
    )


def _truth(behaviour: Behaviour, who: Records, states: Records) -> pa.Table:
    """Return each customer's hazard at the start of every day on which it jumped."""
    of = who[np.searchsorted(who["number"], states["customer"])]
    last = np.append(states["customer"][1:] != states["customer"][:-1], True)
    until = np.where(last, of["left"] + 1, np.append(states["since"][1:], 0))
    left = np.where(last, of["left"], -1)
    memory, grievance = states["memory"], states["grievance"]
    with np.errstate(divide="ignore"):
        half_life = -np.log(2.0) / np.log(of["retention"])
    return pa.table(
        {
            "customer": pa.array(states["customer"]),
            "since": _dates(states["since"]),
            "until": _dates(until, missing=last & (of["left"] < 0)),
            "hazard": bank.daily_hazard.py_func(behaviour, of["base"], memory, grievance),
            "base": of["base"],
            "memory": memory,
            "memory_half_life": np.abs(half_life),
            "grievance": grievance,
            "left_on": _dates(left, missing=left < 0),
            "reason": _words(REASONS, np.where(left < 0, -1, of["reason"])),
        }
    )


def _offers(behaviour: Behaviour) -> pa.Table:
    """Return one offer for each topic and quarter, the first quarter after the history included."""
    rows = []
    for number in range((DAYS // behaviour.quarter + 1) * len(TOPICS)):
        quarter, topic = divmod(number, len(TOPICS))
        begins = BEGIN + timedelta(days=quarter * behaviour.quarter)
        household = behaviour.for_household[number % len(behaviour.for_household)]
        row = {
            "offer_id": number,
            "topics": TOPICS[topic],
            "value": behaviour.prices[topic],
            "customer_value": round(0.3 * behaviour.prices[topic], 2),
            "cost": 0.5,
            "channels": "|".join(CHANNELS),
            "valid_from": begins,
            "valid_to": begins + timedelta(days=behaviour.quarter - 1),
            "for_household": "any" if household < 0 else HOUSEHOLDS[household],
        }
        rows.append(row)
    return pa.Table.from_pylist(rows)


def _words(words: tuple[str, ...], codes: npt.NDArray[np.int64]) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words)).cast(pa.string())


def _whole(values: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=values < 0)


def _number(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _dates(days: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(_BEGIN + days.astype("timedelta64[D]"), mask=missing)


def _local(seconds: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(_BEGIN.astype("datetime64[s]") + seconds.astype("timedelta64[s]"))


def _instants(seconds: npt.NDArray[np.int64]) -> pa.Array:
    local = _BEGIN.astype("datetime64[us]").astype(np.int64) + seconds * 1_000_000
    instants = clock.local_to_utc(local, ZONE)
    return pa.array(instants, mask=seconds < 0).cast(pa.timestamp("us", "UTC"))
