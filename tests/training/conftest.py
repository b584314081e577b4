"""What the tests of training share."""

from pathlib import Path

import pytest

from features.settings import read_settings
from tests.shops import write_shop
from tests.training.bundles import Float64, bundle_of, plan_of
from training import registry
from training.bundle import Bundle


@pytest.fixture(scope="session")
def trained() -> tuple[Bundle, Float64]:
    """A bundle and the rows that it learned from."""
    return bundle_of(plan_of("city"))


@pytest.fixture(scope="session")
def no_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking database without runs, which takes MLflow a second or more to make: copy it."""
    settings = read_settings(write_shop(tmp_path_factory.mktemp("empty"), n_customers=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert registry.champion(settings, "churn") is None
    return settings.path.parent / "mlflow.db"
