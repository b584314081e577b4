"""Labels by hand: who is lost, and which showing of an offer was accepted."""

from pathlib import Path

import pytest

from features.errors import SettingsError
from features.settings import Settings, read_settings
from tests.histories import DAY, ROLES, START, happened, history_of, spine_of
from training.tasks import Churn, OfferTask, churn_labels

AS_OF = START + 100 * DAY
LAPSE = Churn(horizon="28d", gap="0d")
EXIT = Churn(definition="exit", horizon="28d", gap="7d")


def lost(task: Churn, *at: int, kind: str = "purchase") -> int:
    history = history_of([happened("c", t, kind) for t in at], AS_OF + 90 * DAY)
    return int(churn_labels(history, ROLES, task, spine_of(("c", AS_OF)))[0])


@pytest.mark.parametrize(
    ("what", "at", "expected"),
    [
        ("a microsecond before as_of is the past", AS_OF - 1, 1),
        ("exactly at as_of is in the label window", AS_OF, 0),
        ("a microsecond before the window closes counts", AS_OF + 28 * DAY - 1, 0),
        ("exactly at the close does not", AS_OF + 28 * DAY, 1),
    ],
)
def test_a_purchase_within_the_label_window_means_kept(what: str, at: int, expected: int) -> None:
    assert lost(LAPSE, at) == expected, what


@pytest.mark.parametrize(
    ("what", "at", "expected"),
    [
        ("a purchase in the gap does not save", AS_OF + 7 * DAY - 1, 1),
        ("exactly at the end of the gap does", AS_OF + 7 * DAY, 0),
        ("the window keeps its length", AS_OF + 35 * DAY - 1, 0),
        ("and ends after gap and horizon", AS_OF + 35 * DAY, 1),
    ],
)
def test_the_gap_moves_the_label_window(what: str, at: int, expected: int) -> None:
    assert lost(Churn(horizon="28d", gap="7d"), at) == expected, what


@pytest.mark.parametrize(
    ("what", "at", "expected"),
    [
        ("an exit in the gap is not in the window", AS_OF + 7 * DAY - 1, 0),
        ("an exit as the window opens", AS_OF + 7 * DAY, 1),
        ("an exit a microsecond before it closes", AS_OF + 35 * DAY - 1, 1),
        ("an exit as it closes", AS_OF + 35 * DAY, 0),
    ],
)
def test_an_exit_within_the_label_window_means_lost(what: str, at: int, expected: int) -> None:
    assert lost(EXIT, at, kind="cancellation") == expected, what


def test_only_value_keeps_a_customer_and_only_an_exit_loses_one() -> None:
    assert lost(LAPSE, AS_OF + DAY, kind="complaint") == 1
    assert lost(EXIT, AS_OF + 8 * DAY, kind="purchase") == 0


def test_a_history_without_any_event_of_the_definition_has_labels_too() -> None:
    assert lost(LAPSE) == 1
    assert lost(EXIT) == 0


def test_rows_are_labelled_by_their_own_customer_at_their_own_instant() -> None:
    items = [happened("b", AS_OF + 40 * DAY), happened("a", AS_OF), happened("z", AS_OF)]
    history = history_of(items, AS_OF + 90 * DAY)
    later = AS_OF + 30 * DAY
    spine = spine_of(("b", AS_OF), ("a", later), ("b", later), ("nobody", AS_OF), ("a", AS_OF))
    assert churn_labels(history, ROLES, LAPSE, spine).tolist() == [1, 1, 0, 1, 0]


def settings(folder: Path, section: str) -> Settings:
    path = folder / "rapport.toml"
    path.write_text(
        f"""
        [project]
        name = "test"
        [[interactions]]
        source = "none.csv"
        kind = "purchase"
        columns = {{ customer_id = "c", occurred_at = "t" }}
        [roles]
        value = ["purchase"]
        {section}
        """
    )
    return read_settings(path)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('horizon = "4 weeks"', r"\[churn\] horizon: got '4 weeks'.*a whole number of days"),
        ('horizon = "0d"', r"\[churn\] horizon: got '0d'.*at least '1d'"),
        ('active = "0d"', r"\[churn\] active: got '0d'.*at least '1d'"),
        ('gap = "-1d"', r"\[churn\] gap: got '-1d'.*a whole number of days"),
        ('definition = "silence"', r"\[churn\] definition: got 'silence'.*'lapse' or 'exit'"),
        ('horizn = "28d"', r"\[churn\] horizn: got an unknown key.*Did you mean 'horizon'"),
    ],
)
def test_bad_settings_of_churn_are_refused_with_a_remedy(
    tmp_path: Path, line: str, text: str
) -> None:
    with pytest.raises(SettingsError, match=text):
        settings(tmp_path, f"[churn]\n{line}").section("churn", Churn)


@pytest.mark.parametrize("horizon", ["0d", "until the end", "30"])
def test_bad_horizons_of_offers_are_refused_with_a_remedy(tmp_path: Path, horizon: str) -> None:
    with pytest.raises(SettingsError, match=rf"\[offer\] horizon: got '{horizon}'"):
        settings(tmp_path, f'[offer]\nhorizon = "{horizon}"').section("offer", OfferTask)


def test_without_a_section_the_defaults_hold(tmp_path: Path) -> None:
    read = settings(tmp_path, "")
    assert read.section("churn", Churn) == Churn(horizon="28d", active="60d", gap="0d")
    assert read.section("offer", OfferTask).horizon == "until valid_to"
