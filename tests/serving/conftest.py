"""Stores to test with: each test's own, in SQLite and in a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from features.settings import Settings
from serving.store import Store
from tests.postgres import postgres
from tests.registries import copy_of

START = 1_700_000_000_000_000


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL that is started once, when the first test asks for it."""
    with postgres() as url:
        yield url


# A machine without PostgreSQL can run what is not slow; .ci/run installs it and runs the rest.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of the test's own, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a' / 'store.db'}"
    server = sa.make_url(request.getfixturevalue("postgres_server"))
    name = f"store_{uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def empty(store_url: str) -> Iterator[Store]:
    """An empty store of either kind, its clock at a fixed start."""
    with Store(store_url, START) as store:
        yield store


@pytest.fixture
def own(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The shop's settings with a registry of the test's own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "own"
    folder.mkdir()
    return copy_of(shop, folder)
