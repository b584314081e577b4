"""``--until``: training as if it were an earlier moment."""

from pathlib import Path

import pyarrow.compute as pc
import pytest
from click.testing import CliRunner

from features import clock
from features.errors import DataError, SettingsError
from features.settings import Settings, read_settings
from features.sources.reader import read_history
from tests.shops import write_shop
from training.__main__ import commands
from training.recipe import recipe_of
from training.until import as_of, refuse_after_all


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(write_shop(tmp_path, n_customers=5))


def test_what_came_later_is_not_known_and_the_recipe_is_another(settings: Settings) -> None:
    earlier = as_of(settings, "2024-07-01")
    history = read_history(earlier)
    assert clock.isoformat(history.known_until) == "2024-06-30T23:00:00Z"  # London's summer time
    assert pc.max(history.interactions["recorded_at"]).as_py() < history.known_until
    assert len(history.interactions) < len(read_history(settings).interactions)
    assert recipe_of(earlier) != recipe_of(settings)
    refuse_after_all(earlier, history)


def test_nothing_said_changes_nothing(settings: Settings) -> None:
    assert as_of(settings, "") is settings


@pytest.mark.parametrize(
    ("time", "wanted"), [("soon", "2017-11-30"), ("2025-06-01", "at most 2024-12-31T00:00:00Z")]
)
def test_a_time_that_is_none_or_after_the_clock_is_a_clear_error(
    settings: Settings, time: str, wanted: str
) -> None:
    with pytest.raises(SettingsError, match=wanted):
        as_of(settings, time)
    result = CliRunner().invoke(
        commands, ["churn", "--settings", str(settings.path), "--until", time]
    )
    assert result.exit_code == 2
    assert "error: --until" in result.output


def test_without_a_clock_a_time_after_all_that_is_known_is_refused(settings: Settings) -> None:
    text = settings.path.read_text()
    settings.path.write_text(text.replace('clock = "2024-12-31T00:00:00"\n', ""))
    without = read_settings(settings.path)
    refuse_after_all(without, read_history(without))
    early, late = as_of(without, "2024-07-01"), as_of(without, "2030-01-01")
    refuse_after_all(early, read_history(early))
    with pytest.raises(DataError, match="before the last interaction"):
        refuse_after_all(late, read_history(late))
