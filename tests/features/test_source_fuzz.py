"""Any file as a source ends in a history or in an error for people, never in a traceback."""

import csv
import io
import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import RapportError
from features.interactions import COLUMNS
from features.settings import read_settings
from features.sources.reader import read_history
from features.sources.rejections import aside
from features.sources.summary import lines
from features.tables import OFFER_COLUMNS
from tests.sources import write

EXAMPLES = int(os.environ.get("RAPPORT_EXAMPLES", "150"))
OURS = tuple(name for name in COLUMNS if name != "source")
NAMES = st.one_of(
    st.sampled_from([*OURS, "known_at", *OFFER_COLUMNS]),
    st.sampled_from(["row", "place", "met", "Kind", "CUSTOMER_ID", "condition met", "c0", "name"]),
    st.sampled_from(["", " ", '"', "'", "a\x00", "é", "x" * 300, "a,b", "a\nb", "select", "value"]),
    st.text(max_size=8),
)
VALUES: dict[pa.DataType, list[Any]] = {
    pa.string(): ["purchase", "2017-01-01", "", " ", "\x00", "é" * 600, "1e999", "offer_shown"],
    pa.large_string(): ["0001-01-01", "9999-12-31T23:59:59+14:00", "-1", "o", "2017-01-01T25:61"],
    pa.binary(): [b"", b"\xff\x00", b"2017-01-01"],
    pa.int8(): [0, -128],
    pa.int64(): [0, 1, 2**63 - 1, -(2**63)],
    pa.uint64(): [0, 2**64 - 1],
    pa.float32(): [0.1, float("nan")],
    pa.float64(): [0.5, -0.0, 1e308, float("inf"), float("nan"), 5e-324],
    pa.bool_(): [True, False],
    pa.decimal128(38, 4): [Decimal("1.5"), Decimal(10) ** 33],
    pa.date32(): [date(2017, 1, 1), date(1, 1, 1), date(9999, 12, 31)],
    pa.time64("us"): [time(1, 2)],
    pa.duration("s"): [timedelta(seconds=1)],
    pa.timestamp("s"): [0, 2**40, -(2**52), 2**52],
    pa.timestamp("us"): [0, datetime(2017, 1, 1), -(2**63) + 1, 2**63 - 1],
    pa.timestamp("ns"): [0, -(2**63) + 1, 2**63 - 1],
    pa.timestamp("us", "UTC"): [datetime(2017, 1, 1, tzinfo=UTC), -(2**63) + 1, 2**63 - 1],
    pa.timestamp("ms", "Asia/Tokyo"): [0, 2**52],
    pa.list_(pa.string()): [["a", None], [], ["b|c", "\x00"]],
    pa.list_(pa.timestamp("us")): [[0], None],
    pa.struct([("a", pa.int64()), ("b", pa.list_(pa.float64()))]): [{"a": 1, "b": [0.5]}],
    pa.map_(pa.string(), pa.int64()): [[("k", 1)]],
    pa.dictionary(pa.int8(), pa.string()): ["purchase", "offer_accepted"],
    pa.null(): [None],
}
RIGHT = st.sampled_from(
    [
        {"customer_id": "c", "occurred_at": "2017-01-01", "kind": "purchase", "offer_id": "o"},
        {"customer_id": "c", "occurred_at": "2017-01-01", "kind": "purchase", "offer_id": "o"},
        {"customer_id": "c", "occurred_at": "2017-01-01", "kind": "purchase", "offer_id": "o"},
        {},
    ]
)
CELLS = st.one_of(
    st.sampled_from(
        ["c", "2017-01-01", "purchase", "1", "", "NULL", "nan", "inf", "-1e400", "0x1"]
    ),
    st.sampled_from(["9999-12-31", "0001-01-01T00:00Z", "2017-01-01T00:00+14:59", "true", "\x00"]),
    st.text(max_size=12),
)


def parquet(columns: list[tuple[str, pa.Array]]) -> bytes:
    sink = io.BytesIO()
    schema = pa.schema([(name, array.type) for name, array in columns])
    pq.write_table(pa.Table.from_arrays([array for _, array in columns], schema=schema), sink)
    return sink.getvalue()


@st.composite
def parquets(draw: st.DrawFn) -> bytes:
    """A Parquet file of columns of any type, mostly with those that are needed and a right row."""
    n_rows = draw(st.integers(0, 4))
    columns = []
    for name, right in draw(RIGHT).items():
        kind = draw(st.sampled_from([pa.string(), pa.string(), pa.string(), *VALUES]))
        cells = draw(_cells(kind, n_rows))
        columns.append((name, pa.array([right, *cells] if kind == pa.string() else cells, kind)))
    n_rows = max([n_rows, *(len(array) for _, array in columns)])
    columns = [(name, _filled(array, n_rows)) for name, array in columns]
    for name in draw(st.lists(NAMES, max_size=4)):
        kind = draw(st.sampled_from(list(VALUES)))
        columns.append((name, pa.array(draw(_cells(kind, n_rows)), kind)))
    return parquet(columns)


def _cells(kind: pa.DataType, n_rows: int) -> st.SearchStrategy[list[Any]]:
    cell = st.one_of(st.none(), st.sampled_from(VALUES[kind]))
    return st.lists(cell, min_size=n_rows, max_size=n_rows)


def _filled(array: pa.Array, n_rows: int) -> pa.Array:
    return pa.concat_arrays([array, pa.nulls(n_rows - len(array), array.type)])


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A text file: lines of cells, with all that a spreadsheet or an editor does to one."""
    separator = draw(st.sampled_from([",", ",", ",", ";", "\t", "|"]))
    ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"]))
    quote = draw(st.sampled_from([None, None, None, "", '"', "'"]))
    right = draw(RIGHT)
    further = draw(st.lists(NAMES, max_size=3))
    header = [*right, *further]
    cells = st.lists(CELLS, min_size=len(header), max_size=len(header))
    lines = [header, [*right.values(), *[""] * len(further)], *draw(st.lists(cells, max_size=4))]
    if draw(st.integers(0, 4)) == 4:
        lines.append(draw(st.lists(CELLS, max_size=6)))
    if quote is None:
        sink = io.StringIO()
        csv.writer(sink, delimiter=separator, lineterminator=ending).writerows(lines)
        content = sink.getvalue()
    else:
        content = ending.join(separator.join(f"{quote}{c}{quote}" for c in line) for line in lines)
    encoding = draw(st.sampled_from(["utf-8"] * 4 + ["utf-8-sig", "utf-16", "latin-1"]))
    tail = draw(st.sampled_from([b"", b"", b"", b"", b"\n", b'"', b"\xff"]))
    return content.encode(encoding, "replace") + tail


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file cut short or with some bytes changed."""
    content = draw(st.one_of(parquets(), texts()))
    if not content:
        return content
    place = draw(st.integers(0, len(content) - 1))
    changed = draw(st.sampled_from([b"", b"\x00", b"\xff", b"PAR1"]))
    return content[:place] + changed + content[place + draw(st.integers(0, len(content))) :]


OTHERS = st.one_of(parquets(), texts(), damaged(), damaged(), st.binary(max_size=40))


def mapping(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A `columns` of the settings that maps some of our columns to any of the table's."""
    theirs = st.one_of(st.just("kind"), NAMES).filter(
        lambda name: name.isprintable() and not set(name) & set("'\"\\")
    )
    pairs = st.dictionaries(st.sampled_from(names), theirs, max_size=2)
    return st.one_of(st.just({}), st.just({}), pairs).map(_columns)


def _columns(pairs: dict[str, str]) -> str:
    inside = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in pairs.items())
    return f"columns = {{ {inside} }}\n"


FUZZING = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize="RAPPORT_EXAMPLES" not in os.environ,
)


@FUZZING
@given(st.data())
def test_no_file_makes_a_traceback(data: st.DataObject) -> None:
    """One table under test; the others are right, so that reading gets to it."""
    suffix = data.draw(st.sampled_from([".parquet", ".csv", ".csv", ".tsv"]))
    fitting = parquets() if suffix == ".parquet" else texts()
    content = data.draw(fitting if data.draw(st.integers(0, 3)) else OTHERS)
    section = data.draw(st.sampled_from(["interactions", "interactions", "attributes", "offers"]))
    visits = '[[interactions]]\nsource = "visits.csv"\nkind = "purchase"\n'
    source = f'source = "fuzzed{suffix}"\n'
    sections = {
        "interactions": f"[[interactions]]\n{source}",
        "attributes": f"{visits}[[attributes]]\n{source}",
        "offers": f"{visits}[offers]\n{source}",
    }[section]
    names = {"interactions": OURS, "attributes": ("customer_id", "known_at")}
    sections += data.draw(mapping(names.get(section, OFFER_COLUMNS)))
    sections += f"[checks]\nrejected = {data.draw(st.sampled_from(['1', '1', '0.01']))}\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / f"fuzzed{suffix}").write_bytes(content)
        files = {"visits.csv": "customer_id,occurred_at\nc,2017-01-01\n"}
        ends_well(write(folder, sections, files))


def ends_well(path: Path) -> None:
    """Read what the settings say and tell of it; nothing but an error for people may come out."""
    try:
        found = read_settings(path)
        history = read_history(found, aside(found))
    except RapportError as error:
        assert str(error)
    else:
        assert len(history.interactions) > 0
        assert list(lines(path, history))


STORED = st.sampled_from(
    [None, "c", "2017-01-01", "", b"\xff\x00", b"c", 1, 2**63 - 1, 0.5, 1e308, float("inf"), "\x00"]
)


@settings(FUZZING, max_examples=EXAMPLES // 5)
@given(
    st.lists(st.tuples(STORED, STORED, STORED), max_size=4),
    st.sampled_from(["*", "*", "*, a", "rowid, *", "a AS customer_id", "a AS 'x\x00y'"]),
)
def test_no_answer_of_a_database_makes_a_traceback(
    rows: list[tuple[Any, ...]], selected: str
) -> None:
    """SQLite keeps values of any type in any column."""
    with tempfile.TemporaryDirectory() as name:
        with closing(sqlite3.connect(f"{name}/shop.db")) as connection, connection:
            connection.execute("CREATE TABLE t (customer_id, occurred_at, a)")
            connection.execute("INSERT INTO t VALUES ('c', '2017-01-01', NULL)")
            connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        query = f"SELECT {selected} FROM t".replace("\x00", "\\u0000")
        section = (
            f'[[interactions]]\nsource = "sqlite:///{name}/shop.db"\nname = "shop"\n'
            f'kind = "purchase"\nquery = "{query}"\nnumbers = {{ a = "a" }}\n'
        )
        ends_well(write(Path(name), f"{section}[checks]\nrejected = 1\n"))
