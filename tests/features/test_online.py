"""The online engine: light to import, and one row an offer."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from features import folds, kernel, online
from features.interactions import Attribute, Interaction
from features.offers import Offer
from features.plan import compile_plan
from tests.engines import bits
from tests.strategies import AS_OF, DAY, ROLES, SIGNALS, attributes, histories

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from features import contract, online
from features.interactions import Interaction
from features.plan import compile_plan
from features.signals import days, interactions

plan = compile_plan(interactions("value").count(days(7), why="w"), {"value": ("purchase",)})
print(online.evaluate(plan, [Interaction("c", 1, 1, "purchase")], 2).row(0))
heavy = {"pandas", "pyarrow", "duckdb", "mlflow", "sqlalchemy", "lightgbm", "bentoml", "training"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_it_imports_no_batch_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[1.0]", "[]"]


PLAN = compile_plan(SIGNALS, ROLES)
HISTORY = [
    Interaction("c", AS_OF - 1, AS_OF - 1, "item", topic="TEA"),
    Interaction("c", AS_OF - 2, AS_OF - 2, "item", topic="MILK"),
    Interaction("c", AS_OF - 3, AS_OF - 3, "item"),
]


def test_each_offer_gets_a_row_in_the_order_given() -> None:
    offers = [
        Offer("both", topics=frozenset({"TEA", "MILK"}), attributes={"type": "A"}),
        Offer("none", attributes={"type": "B"}),
        Offer("tea", topics=frozenset({"TEA"})),
    ]
    values = online.evaluate(PLAN, HISTORY, AS_OF, offers=offers)
    assert values.column("detail_count_7d_same_topic") == [2.0, 0.0, 1.0]
    assert values.column("offer_type") == ["A", "B", None]
    assert values.column("any_count") == [3.0, 3.0, 3.0]


def test_without_an_offer_there_is_one_row_in_which_what_is_about_offers_is_missing() -> None:
    values = online.evaluate(PLAN, HISTORY, AS_OF)
    row = dict(zip(PLAN.names, values.row(0), strict=True))
    assert len(values) == 1
    assert str(row["detail_count_7d_same_topic"]) == "nan"
    assert row["offer_type"] is None


def test_categories_outside_the_vocabulary_are_missing_in_the_matrix() -> None:
    offers = [Offer(name, attributes={"type": name}) for name in ("B", "A", "new")]
    values = online.evaluate(PLAN, [], AS_OF, offers=offers)
    found = values.vocabularies()
    assert found["attribute_city"] == []
    assert found["offer_type"] == ["A", "B", "new"]
    encoded = values.encode(found | {"attribute_city": ["Bath"], "offer_type": ["A", "B"]})
    assert list(map(str, encoded[:, PLAN.names.index("offer_type")])) == ["1.0", "0.0", "nan"]


def test_another_fold_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kernel._folds()
    assert kernel._folds() == before
    monkeypatch.setattr(folds, "contrast", folds.long_run)
    assert kernel._folds() != before


@settings(max_examples=100)
@given(items=histories(), facts=attributes())
def test_several_instants_at_once_are_each_as_alone(
    items: list[Interaction], facts: list[Attribute]
) -> None:
    instants = [AS_OF - 90 * DAY, AS_OF - DAY, AS_OF - 1, AS_OF, AS_OF + 400 * DAY]
    together = online.evaluate_at(PLAN, items, instants, facts)
    for place, as_of in enumerate(instants):
        alone = online.evaluate(PLAN, items, as_of, facts)
        assert bits(together.row(place)) == bits(alone.row(0))
