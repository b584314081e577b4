"""Aliases: who serves, who waits, who served before; two processes at once cannot both win."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from features.errors import ContractError, ModelError
from features.plan import compile_plan
from features.settings import Settings, read_settings
from tests.processes import environment
from tests.shops import write_shop
from tests.training.bundles import Float64
from tests.training.versions import register
from training import aliases, registry
from training.bundle import Bundle
from training.registry import Version

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path, no_runs: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(no_runs, tmp_path)
    path = write_shop(tmp_path, n_customers=2)
    path.write_text(path.read_text().replace('"Europe/London"', '"UTC"'))  # the bundle's
    return read_settings(path)


@pytest.fixture
def bundle(trained: tuple[Bundle, Float64]) -> Bundle:
    return trained[0]


def entered(settings: Settings, bundle: Bundle, folder: Path) -> tuple[Version, aliases.Standing]:
    version = register(settings, bundle, folder)
    return version, aliases.enter(settings, "churn", version, bundle.card)


def serving(settings: Settings) -> str | None:
    version = registry.champion(settings, "churn")
    return version.version if version else None


def waiting(settings: Settings) -> str | None:
    version = registry.find(settings, "churn", registry.CHALLENGER)
    return version.version if version else None


def promoted(settings: Settings, bundle: Bundle, folder: Path) -> None:
    champion = registry.champion(settings, "churn")
    challenger, _ = entered(settings, bundle, folder)
    assert aliases.promote(settings, "churn", champion, challenger) is None


def test_the_first_version_is_champion_at_once(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    _, standing = entered(settings, bundle, tmp_path)
    assert standing == aliases.Standing("champion", "there was no champion")
    assert (serving(settings), waiting(settings)) == ("1", None)


def test_a_later_version_is_challenger_and_the_champion_stays(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    _, standing = entered(settings, bundle, tmp_path)
    assert standing == aliases.Standing("challenger", "version 1 stays champion")
    assert (serving(settings), waiting(settings)) == ("1", "2")


def test_a_champion_of_another_task_in_the_settings_is_replaced_and_told(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    entered(settings, bundle, tmp_path)
    longer = replace(bundle, card=replace(bundle.card, settings={"horizon": "56d"}))
    _, standing = entered(settings, longer, tmp_path)
    assert standing.alias == "champion"
    assert "version 1 was trained for other settings" in standing.why
    assert (serving(settings), waiting(settings)) == ("3", None)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"UTC"', '"Europe/Paris"', "time zone Europe/Paris, not UTC"),
        ('value = ["purchase"]', 'value = ["sale"]', "role value sale, not purchase"),
    ],
)
def test_a_champion_of_another_zone_or_other_roles_is_replaced_and_not_gone_back_to(
    settings: Settings, bundle: Bundle, tmp_path: Path, old: str, new: str, told: str
) -> None:
    entered(settings, bundle, tmp_path)
    settings.path.write_text(settings.path.read_text().replace(old, new))
    now = read_settings(settings.path)
    roles = {role: now.roles.kinds(role) for role in bundle.plan.roles}
    plan = compile_plan(bundle.plan.signals, roles, now.project.timezone)
    _, standing = entered(now, replace(bundle, plan=plan), tmp_path)
    assert standing.alias == "champion"
    assert standing.why == f"the settings say otherwise now than for version 1: {told}"
    assert serving(now) == "2"
    with pytest.raises(ContractError, match=f"version 1: .*{told}"):
        aliases.roll_back(now, "churn")
    assert serving(now) == "2"


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_champion_that_cannot_be_read_is_replaced_and_told(
    settings: Settings, bundle: Bundle, tmp_path: Path, harm: str
) -> None:
    entered(settings, bundle, tmp_path)
    for path in (tmp_path / "artifacts").rglob("bundle.json"):
        path.write_text("{}") if harm == "damaged" else path.unlink()
    version, standing = entered(settings, bundle, tmp_path)
    assert standing.alias == "champion"
    assert "version 1 cannot be read by this code" in standing.why
    assert serving(settings) == version.version == "2"


def test_promotion_moves_champion_and_frees_challenger(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    promoted(settings, bundle, tmp_path)
    assert (serving(settings), waiting(settings)) == ("2", None)


def test_a_promotion_of_what_is_no_longer_so_is_refused(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    champion = registry.champion(settings, "churn")
    compared, _ = entered(settings, bundle, tmp_path)
    entered(settings, bundle, tmp_path)
    why = aliases.promote(settings, "churn", champion, compared)
    assert why is not None
    assert "made version 3 challenger, which was version 2" in why
    assert (serving(settings), waiting(settings)) == ("1", "3")


def test_rolling_back_goes_one_champion_further_each_time(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    promoted(settings, bundle, tmp_path)
    promoted(settings, bundle, tmp_path)
    found = []
    for _ in range(2):
        was, now = aliases.roll_back(settings, "churn")
        found.append((was.version, now.version, serving(settings)))
    assert found == [("3", "2", "2"), ("2", "1", "1")]
    with pytest.raises(ModelError, match="no champion before version 1"):
        aliases.roll_back(settings, "churn")
    assert serving(settings) == "1"


def test_after_a_rollback_the_next_promotion_remembers_the_one_gone_back_to(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    promoted(settings, bundle, tmp_path)
    aliases.roll_back(settings, "churn")
    promoted(settings, bundle, tmp_path)
    assert serving(settings) == "3"
    _, now = aliases.roll_back(settings, "churn")
    assert now.version == "1"


def test_a_rollback_skips_versions_that_were_deleted(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    promoted(settings, bundle, tmp_path)
    promoted(settings, bundle, tmp_path)
    client = registry.open_registry(settings).MlflowClient()
    client.delete_model_version("rapport-churn", "2")
    assert aliases.roll_back(settings, "churn")[1].version == "1"


def test_a_rollback_to_what_cannot_be_read_changes_nothing(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    for path in (tmp_path / "artifacts").rglob("bundle.json"):
        path.write_text("{}")
    entered(settings, bundle, tmp_path)
    with pytest.raises(ModelError, match="model bundle"):
        aliases.roll_back(settings, "churn")
    assert serving(settings) == "2"


def test_without_any_version_there_is_nothing_to_roll_back_to(settings: Settings) -> None:
    with pytest.raises(ModelError, match="no champion before no version"):
        aliases.roll_back(settings, "churn")


def test_a_lock_that_was_left_is_told_and_can_be_removed(
    settings: Settings, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(settings, bundle, tmp_path)
    monkeypatch.setattr(aliases, "PATIENCE", 0.3)
    client = registry.open_registry(settings).MlflowClient()
    tags = {aliases.HOLDER_TAG: "x", aliases.HELD_TAG: "since yesterday by process 7 on there"}
    client.create_registered_model("rapport-churn-lock", tags=tags)
    with pytest.raises(ModelError, match=r"since yesterday by process 7.*--unlock"):
        entered(settings, bundle, tmp_path)
    assert aliases.unlock(settings, "churn")
    assert not aliases.unlock(settings, "churn")
    assert entered(settings, bundle, tmp_path)[1].alias == "challenger"


def test_the_lock_is_freed_when_a_step_fails(
    settings: Settings, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("the disk is full")

    version = register(settings, bundle, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(aliases, "_crown", broken)
        with pytest.raises(RuntimeError):
            aliases.enter(settings, "churn", version, bundle.card)
    assert aliases.enter(settings, "churn", version, bundle.card).alias == "champion"


def test_a_lock_that_could_not_be_freed_is_still_its_own(
    settings: Settings, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = registry.open_registry(settings)
    version = register(settings, bundle, tmp_path)

    def lost(*arguments: object) -> None:
        raise mlflow.exceptions.MlflowException("the connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "delete_registered_model", lost)
        with pytest.raises(ModelError, match="the connection was lost"):
            aliases.enter(settings, "churn", version, bundle.card)
    assert entered(settings, bundle, tmp_path)[1].alias == "challenger"
    assert not aliases.unlock(settings, "churn")


def test_a_promotion_that_was_killed_half_way_is_finished_and_not_rolled_back_to_itself(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    entered(settings, bundle, tmp_path)
    client = registry.open_registry(settings).MlflowClient()
    first, second = (
        registry.find(settings, "churn", alias)
        for alias in (registry.CHAMPION, registry.CHALLENGER)
    )
    assert first and second
    aliases.promote(settings, "churn", first, second)
    client.set_registered_model_alias(second.name, registry.CHALLENGER, second.version)
    aliases.promote(settings, "churn", second, second)
    assert registry.find(settings, "churn", registry.CHALLENGER) is None
    was, now = aliases.roll_back(settings, "churn")
    assert (was.version, now.version) == (second.version, first.version)


CONTESTANT = """
import sys, time
from pathlib import Path
from features.settings import read_settings
from training import aliases, registry

settings, folder, me = read_settings(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
champion = registry.champion(settings, "churn")
challenger = registry.find(settings, "churn", registry.CHALLENGER)
(folder / f"{me}.ready").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
print(aliases.promote(settings, "churn", champion, challenger))
"""


@pytest.mark.slow
def test_of_two_processes_that_promote_at_once_one_wins(
    settings: Settings, bundle: Bundle, tmp_path: Path
) -> None:
    entered(settings, bundle, tmp_path)
    entered(settings, bundle, tmp_path)
    command = [sys.executable, "-c", CONTESTANT, str(settings.path), str(tmp_path)]
    contestants = [
        subprocess.Popen(
            [*command, me],
            cwd=ROOT,
            env=environment(PYTHONPATH=str(ROOT)),
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in "ab"
    ]
    while len(list(tmp_path.glob("*.ready"))) < 2:
        assert all(each.poll() is None for each in contestants)
    (tmp_path / "go").touch()
    said = sorted(each.communicate(timeout=60)[0].strip() for each in contestants)
    assert said[0] == "None"
    assert "meanwhile another process made version 2 champion, which was version 1" in said[1]
    assert (serving(settings), waiting(settings)) == ("2", None)
    assert not aliases.unlock(settings, "churn")


def test_who_has_looked_before_the_lock_was_taken_still_loses(
    settings: Settings, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many interleavings the one that a test of two processes may not meet."""
    entered(settings, bundle, tmp_path)
    champion = registry.champion(settings, "churn")
    challenger, _ = entered(settings, bundle, tmp_path)
    take = aliases._take
    lost: list[str | None] = []

    def slow(mlflow: ModuleType, *arguments: object) -> None:
        monkeypatch.setattr(aliases, "_take", take)
        lost.append(aliases.promote(settings, "churn", champion, challenger))
        take(mlflow, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(aliases, "_take", slow)
    assert aliases.promote(settings, "churn", champion, challenger) is not None
    assert lost == [None]
