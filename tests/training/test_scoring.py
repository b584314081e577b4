"""Scoring everybody: the answers of the API, whole or not at all, and resumed where it stopped."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from features import clock
from features.errors import DataError
from features.history import History
from features.settings import Settings
from features.snapshots import snapshot_spine
from features.sources.reader import read_history
from serving.scorer import Scorer
from tests import objects
from training import destinations, parts, registry, scoring
from training.__main__ import commands
from training.models import Model, require_model
from training.money import Stakes
from training.parts import history_digest
from training.scoring import scored, scoring_of

COSTS = {"at_risk": 400.0, "contact_cost": 20.0, "save_rate": 0.2}


@pytest.fixture(scope="module")
def history(shop: Settings) -> History:
    return read_history(shop)


def score(shop: Settings, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(commands, ["score", "--settings", str(shop.path), *more])
    return result.exit_code, result.output


def everyone(shop: Settings, history: History, task: registry.Task, n_reasons: int = 3) -> pa.Table:
    asked = scoring_of(
        require_model(shop, task), history, shop.roles, history.known_until, n_reasons
    )
    return pa.concat_tables(scored(asked, asked.parts, lambda rows: None))


@pytest.mark.parametrize(
    ("money", "days_ago", "statuses"),
    [(False, 250, {"in_cohort", "unknown"}), (True, 0, {"in_cohort", "lapsed"})],
)
def test_every_customer_gets_what_the_api_answers_bit_for_bit(
    shop: Settings,
    history: History,
    scorer: Scorer,
    monkeypatch: pytest.MonkeyPatch,
    money: bool,
    days_ago: int,
    statuses: set[str],
) -> None:
    model, as_of = scorer.churn_model, history.known_until - days_ago * clock.DAY
    at(as_of, scorer, monkeypatch)
    if money:
        model = costing(model, COSTS)
        scorer.churn_model, scorer._stakes = model, Stakes.of(COSTS)
    monkeypatch.setattr(scoring, "PART", 97)
    monkeypatch.setattr(scoring, "BLOCK", 13)
    asked = scoring_of(model, history, shop.roles, as_of, 3)
    rows = pa.concat_tables(scored(asked, asked.parts, lambda rows: None)).to_pylist()
    customers = [row["customer_id"] for row in rows]
    assert customers == scorer.store.customers()
    _, answers = scorer.churn(customers, 3)
    assert {row["status"] for row in rows} >= statuses
    for row, answer in zip(rows, answers, strict=True):
        assert (row["status"], row["band"]) == (answer.status, answer.band)
        assert row["probability"] == answer.probability
        assert ("value_at_risk" in row) == money
        if money:
            assert row["value_at_risk"] == answer.value_at_risk
            assert row["contacting_pays"] == answer.contacting_pays
        for i, reason in enumerate(answer.reasons, 1):
            told = (reason.text, reason.effect, reason.signals[0][0])
            assert tuple(row[f"reason_{i}{of}"] for of in ("", "_effect", "_signal")) == told
        assert [row["model"], row["model_version"]] == [model.name, model.version]
        assert clock.to_instant(row["as_of"], "UTC") == as_of


def costing(model: Model, costs: dict[str, float]) -> Model:
    """Return a model whose card states money."""
    card = replace(model.bundle.card, costs=costs)
    return replace(model, bundle=replace(model.bundle, card=card))


def at(as_of: int, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a scorer answer by what was known at an instant."""
    store = scorer.store
    monkeypatch.setattr(store, "known", lambda names: (as_of, store.histories(names)))


def test_every_offer_that_is_valid_gets_what_the_api_answers(
    shop: Settings, history: History, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = scorer.offer_model
    assert model is not None
    as_of = clock.DAY + max(o.valid_from for o in history.offers.values())
    at(as_of, scorer, monkeypatch)
    asked = scoring_of(model, history, shop.roles, as_of, 2)
    table = pa.concat_tables(scored(asked, asked.parts, lambda rows: None))
    rows = {(row["customer_id"], row["offer_id"]): row for row in table.to_pylist()}
    assert len(rows) == len(table) == len(asked.customers) * len(asked.form.offers)
    compared = 0
    for customer in scorer.store.customers()[:40]:
        for answer in scorer.rank(customer, None, 100, 2).ranked:
            row = rows[customer, answer.offer_id]
            assert row["probability"] == answer.probability
            assert row["expected_value"] == answer.expected_value
            for i, reason in enumerate(answer.reasons, 1):
                assert (row[f"reason_{i}"], row[f"reason_{i}_effect"]) == (
                    reason.text,
                    reason.effect,
                )
            compared += 1
    assert compared > 10


def test_offers_of_a_time_without_any_are_a_clear_error(shop: Settings, history: History) -> None:
    model = require_model(shop, "offers")
    with pytest.raises(DataError, match="Name another instant with --at"):
        scoring_of(model, history, shop.roles, 0, 3)


def test_scores_are_written_to_a_file_whole(
    shop: Settings, history: History, tmp_path: Path
) -> None:
    out = tmp_path / "scores.parquet"
    code, told = score(shop, "--out", str(out))
    assert code == 0, told
    assert pq.read_table(out).equals(everyone(shop, history, "churn"))
    assert f"{len(snapshot_spine(history, [history.known_until]))} rows" in told
    assert list(tmp_path.iterdir()) == [out]


def test_scores_of_a_history_in_files_are_those_of_one_in_memory(
    shop: Settings, history: History, tmp_path: Path
) -> None:
    filed = read_history(shop, kept=tmp_path)
    assert not isinstance(filed.interactions, pa.Table)
    assert everyone(shop, filed, "churn").equals(everyone(shop, history, "churn"))
    assert history_digest(filed) == history_digest(history)


def test_scores_are_written_to_an_object_store(
    shop: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: objects.Objects = {}
    with objects.serving(held) as address:
        for name, value in objects.environment(address).items():
            monkeypatch.setenv(name, value)
        code, told = score(shop, "--out", "s3://shop/out/scores.parquet")
    assert code == 0, told
    assert list(held) == ["shop/out/scores.parquet"]
    found = pq.read_table(pa.BufferReader(held["shop/out/scores.parquet"]))
    assert found.equals(everyone(shop, history, "churn"))


def test_a_run_that_was_stopped_goes_on_where_it_was(
    shop: Settings, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "PART", 100)
    out, folder = tmp_path / "scores.parquet", tmp_path / "scores.parquet.parts"
    done: list[scoring.Part] = []

    def interrupted(
        asked: scoring.Scoring, some: Sequence[scoring.Part], progress: scoring.Progress
    ) -> Iterator[pa.Table]:
        done.append(some[0])
        yield next(scored(asked, some, progress))
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "scored", interrupted)
    assert score(shop, "--out", str(out))[0] == 1
    assert not out.exists()
    assert len(list(folder.glob("*.parquet"))) == 1

    again: list[scoring.Part] = []

    def counted(
        asked: scoring.Scoring, some: Sequence[scoring.Part], progress: scoring.Progress
    ) -> Iterator[pa.Table]:
        again.extend(some)
        return scored(asked, some, progress)

    monkeypatch.setattr(parts, "scored", counted)
    code, told = score(shop, "--out", str(out))
    assert code == 0, told
    assert "1 part of a stopped run" in told
    assert again
    assert not set(done) & set(again)
    assert pq.read_table(out).equals(everyone(shop, history, "churn"))
    assert not folder.exists()


def test_parts_of_another_run_are_not_taken(
    shop: Settings, history: History, tmp_path: Path
) -> None:
    model, end = require_model(shop, "churn"), history.known_until
    asked = scoring_of(model, history, shop.roles, end, 1)
    others = [
        scoring_of(model, history, shop.roles, end - clock.DAY, 1),
        scoring_of(model, history, shop.roles, end, 2),
        replace(asked, form=replace(asked.form, model=replace(model, digest="another"))),
        replace(asked, history=replace(history, interactions=history.interactions.slice(1))),
        replace(asked, form=replace(asked.form, model=costing(model, COSTS))),
    ]
    (table,) = scored(asked, asked.parts[:1], lambda rows: None)
    for number, other in enumerate(others):
        folder = tmp_path / str(number)
        stopped(folder, asked, table)
        with parts.opened(folder, asked) as made:
            assert made.kept == {0}
        stopped(folder, asked, table)
        with parts.opened(folder, other) as made:
            assert not made.kept


def test_a_damaged_part_is_computed_again(shop: Settings, history: History, tmp_path: Path) -> None:
    asked = scoring_of(require_model(shop, "churn"), history, shop.roles, history.known_until, 1)
    (table,) = scored(asked, asked.parts[:1], lambda rows: None)
    stopped(tmp_path / "parts", asked, table)
    path = tmp_path / "parts" / "part-000000.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with parts.opened(tmp_path / "parts", asked) as made:
        assert not made.kept
        made.compute(lambda rows: None)
        assert [part.equals(table) for part in made.tables()] == [True]


def stopped(folder: Path, asked: scoring.Scoring, table: pa.Table) -> None:
    """Leave a folder as a run that was stopped after its first part does."""
    with pytest.raises(KeyboardInterrupt), parts.opened(folder, asked) as made:
        pq.write_table(table, made.file(0))
        raise KeyboardInterrupt


def test_two_runs_cannot_write_the_same_scores_at_once(
    shop: Settings, history: History, tmp_path: Path
) -> None:
    asked = scoring_of(require_model(shop, "churn"), history, shop.roles, history.known_until, 1)
    with (
        parts.opened(tmp_path / "parts", asked),
        pytest.raises(DataError, match="one run at a time"),
        parts.opened(tmp_path / "parts", asked),
    ):
        pass


def test_the_digest_of_a_history_is_of_its_rows_in_any_order(history: History) -> None:
    table = history.interactions
    turned = replace(history, interactions=table.take(pa.array(range(len(table) - 1, -1, -1))))
    assert history_digest(turned) == history_digest(history)
    offers = dict(list(history.offers.items())[1:])
    for other in (
        replace(history, interactions=table.slice(1)),
        replace(history, attributes=history.attributes.slice(1)),
        replace(history, known_until=history.known_until + 1),
        replace(history, offers=offers),
    ):
        assert history_digest(other) != history_digest(history)


def test_a_run_written_twice_to_a_database_is_there_once(shop: Settings, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    for at in ("2024-12-31", "2024-12-31", "2024-12-01"):
        code, told = score(shop, "--out", url, "--at", at, "--reasons", "1")
        assert code == 0, told
    assert "the model has learned what happened until" in told
    with sqlite3.connect(tmp_path / "scores.db") as connection:
        found = connection.execute(
            "SELECT as_of, count(*), count(DISTINCT customer_id), count(reason_1) "
            "FROM churn_scores GROUP BY as_of ORDER BY as_of"
        ).fetchall()
    connection.close()
    assert [row[0][:10] for row in found] == ["2024-12-01", "2024-12-31"]
    assert all(rows == customers > 200 for _, rows, customers, _ in found)
    assert all(reasons > 0 for *_, reasons in found)


def test_a_database_keeps_the_earlier_run_when_a_later_one_fails(
    shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    assert score(shop, "--out", url, "--table", "risks")[0] == 0
    before = _rows(tmp_path / "scores.db")
    monkeypatch.setattr(destinations, "BATCH", 10)
    whole = parts.Parts.tables

    def half(made: parts.Parts) -> object:
        for table in whole(made):
            yield table.slice(0, 50)
            raise KeyboardInterrupt

    monkeypatch.setattr(parts.Parts, "tables", half)
    assert score(shop, "--out", url, "--table", "risks")[0] == 1
    assert _rows(tmp_path / "scores.db") == before


def _rows(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT * FROM risks ORDER BY customer_id").fetchall()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--out", "scores.csv"], "ends in .parquet"),
        (["--out", "foo://x"], "a database URL"),
        (["--out", "s3://shop/scores.csv"], "an object that ends in .parquet"),
        (["--out", "sqlite:///x.db", "--engine", "spark"], "spark writes Parquet"),
        (["--out", "scores.parquet", "--table", "t"], "--table is of a database"),
        (["--out", "scores.parquet", "--at", "soon"], "no time such as"),
        (["--out", "sqlite:////no/such/folder/x.db"], "a database that can be written"),
    ],
)
def test_what_cannot_be_written_is_refused(
    shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = score(shop, *more)
    assert code == 2
    assert told in output
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_other_columns_is_refused(shop: Settings, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'scores.db'}"
    assert score(shop, "--out", url, "--reasons", "1")[0] == 0
    code, told = score(shop, "--out", url, "--reasons", "2")
    assert code == 2
    assert "columns without 'reason_2'" in told
    assert "Name another with --table" in told
