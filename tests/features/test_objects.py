"""Sources in an object store: the same rows as from files, over real HTTP."""

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import SourceError
from features.history import History
from features.settings import read_settings
from features.sources.objects import filesystem
from features.sources.reader import read_history
from tests import objects

SALES = "client,sold_at,total\n007,2024-01-05 10:00,3.5\n8,2024-02-01 11:30,12\n"
SETTINGS = """
[project]
name = "shop"
timezone = "Europe/London"
[[interactions]]
source = "{at}/sales.csv"
kind = "purchase"
columns = {{ customer_id = "client", occurred_at = "sold_at", amount = "total" }}
[[interactions]]
source = "{at}/calls/*.parquet"
name = "calls"
kind = "enquiry"
[roles]
value = ["purchase"]
contact = ["enquiry"]
"""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[objects.Objects]:
    """A store that holds nothing yet, where the environment says that one is."""
    held: objects.Objects = {}
    with objects.serving(held) as address:
        for name, value in objects.environment(address).items():
            monkeypatch.setenv(name, value)
        yield held


def tables() -> objects.Objects:
    """The files of a shop, by their names."""
    found = {"sales.csv": SALES.encode()}
    for n in range(3):
        table = pa.table(
            {"customer_id": ["8", "9"], "occurred_at": [f"2024-03-0{n + 1}T08:00:00Z"] * 2}
        )
        sink = io.BytesIO()
        pq.write_table(table, sink)
        found[f"calls/{n}.parquet"] = sink.getvalue()
    return found


def history(folder: Path, at: str) -> History:
    path = folder / "shop.toml"
    path.write_text(SETTINGS.format(at=at), encoding="utf-8")
    return read_history(read_settings(path))


def test_the_same_settings_read_a_folder_and_a_bucket(
    store: objects.Objects, tmp_path: Path
) -> None:
    for name, content in tables().items():
        store[f"shop/data/{name}"] = content
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    here, there = history(tmp_path, "data"), history(tmp_path, "s3://shop/data")
    order = [("customer_id", "ascending"), ("occurred_at", "ascending")]
    assert len(here.interactions) == 8
    assert there.interactions.sort_by(order).equals(here.interactions.sort_by(order))


def test_what_is_not_in_the_bucket_is_told_with_its_url(
    store: objects.Objects, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"s3://shop/data/sales\.csv"):
        history(tmp_path, "s3://shop/data")


def test_each_bucket_is_read_from_its_own_store(store: objects.Objects, tmp_path: Path) -> None:
    for name, content in tables().items():
        store[f"{'calls' if name.startswith('calls/') else 'shop'}/{name}"] = content
    path = tmp_path / "shop.toml"
    settings = SETTINGS.replace("{at}/calls", "s3://calls/calls").replace("{at}", "s3://shop")
    path.write_text(settings.replace("{{", "{").replace("}}", "}"), encoding="utf-8")
    assert len(read_history(read_settings(path)).interactions) == 8


def test_a_path_in_azure_begins_with_its_container() -> None:
    _, path = filesystem("abfs://sales@shop.dfs.core.windows.net/2024/*.parquet")
    assert path == "sales/2024/*.parquet"
    with pytest.raises(SourceError, match=r"container@account\.dfs\.core\.windows\.net"):
        filesystem("abfs://sales/2024/*.parquet")
