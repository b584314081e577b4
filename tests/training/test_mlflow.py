"""What MLflow is told of a model: data, contract, code, signature, example, tags."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.contract import contract_of
from features.settings import Settings, read_settings
from tests.shops import write_shop
from tests.training.bundles import Float64
from training import provenance, registry
from training.bundle import Bundle, load_bundle
from training.signature import example_of


@pytest.fixture(scope="module")
def mlflow(shop: Settings) -> ModuleType:
    return registry.open_registry(shop)


@pytest.fixture(scope="module")
def run(mlflow: ModuleType) -> Any:
    """The run that trained the churn model."""
    found = mlflow.MlflowClient().get_model_version_by_alias("rapport-churn", "champion")
    return mlflow.get_run(found.run_id)


def test_the_data_set_is_an_input_of_the_run_without_its_rows(run: Any, shop: Settings) -> None:
    (found,) = run.inputs.dataset_inputs
    assert found.dataset.name == "churn"
    tags = {tag.key: tag.value for tag in found.tags}
    assert tags["mlflow.data.context"] == "training"
    assert tags["rows"] == run.data.params["rows"]
    assert tags["known_until"] == run.data.params["known_until"] == "2024-12-31T00:00:00Z"
    assert 200 <= int(tags["customers"]) <= 260
    sources = json.loads(found.dataset.source)["tags"]["sources"]
    assert sources == [
        "purchases.csv",
        "items.csv",
        "offers_sent.csv",
        "people.csv",
        "offers.csv",
    ]


def test_a_version_carries_what_one_asks_of_it(mlflow: ModuleType, run: Any) -> None:
    version = mlflow.MlflowClient().get_model_version_by_alias("rapport-churn", "champion")
    assert version.run_id == run.info.run_id
    tags = version.tags
    assert tags["task"] == "churn"
    assert tags["rows"] == run.data.params["rows"]
    assert tags["trained_until"] == run.data.params["trained_until"]
    assert float(tags["auc"]) == pytest.approx(run.data.metrics["auc"], abs=1e-4)
    assert tags["data"] == run.inputs.dataset_inputs[0].dataset.digest
    assert tags["code_version"] == run.data.tags["code_version"] == provenance.code_version()


def test_the_signal_contract_is_an_artifact(mlflow: ModuleType, run: Any, tmp_path: Path) -> None:
    contract = mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/signal_contract.json")
    version = mlflow.MlflowClient().get_model_version_by_alias("rapport-churn", "champion")
    assert contract["fingerprint"] == version.tags["fingerprint"]
    assert len(contract["signals"]) == int(run.data.params["signals"])


def test_metrics_of_test_instants_are_stepped(mlflow: ModuleType, run: Any) -> None:
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "test.auc")
    assert [each.step for each in history] == list(range(len(history)))
    assert np.mean([each.value for each in history]) == pytest.approx(run.data.metrics["auc"])


def test_the_signature_names_floats_that_may_be_missing(mlflow: ModuleType) -> None:
    info = mlflow.models.get_model_info("models:/rapport-offers@champion")
    columns = info.signature.inputs.to_dict()
    assert {column["type"] for column in columns} == {"double", "string"}
    assert not any(column["required"] for column in columns)


def test_the_example_is_of_the_probes_and_scores(
    shop: Settings, mlflow: ModuleType, tmp_path: Path
) -> None:
    version = registry.champion(shop, "churn")
    assert version is not None
    bundle = load_bundle(registry.fetch(shop, version, tmp_path))
    model = mlflow.pyfunc.load_model(version.model_uri)
    expected = example_of(bundle)
    assert list(model.input_example.columns) == bundle.plan.names
    pd.testing.assert_frame_equal(
        model.input_example.fillna(np.nan), expected.fillna(np.nan), check_dtype=False
    )
    served = model.predict(model.input_example)
    assert served.shape == (len(expected),)
    assert ((served > 0) & (served < 1)).all()


def test_the_example_follows_from_the_contract_alone(trained: tuple[Bundle, Float64]) -> None:
    bundle, _ = trained
    first, again = example_of(bundle), example_of(bundle)
    pd.testing.assert_frame_equal(first, again)
    assert list(first.columns) == [signal["name"] for signal in contract_of(bundle.plan)["signals"]]


def test_training_says_nothing_of_mlflows(shop: Settings) -> None:
    told = (shop.path.parent / "training.log").read_text()
    assert "is champion" in told
    for noise in ("Successfully registered", "Created version", "View run", "alembic", "INFO"):
        assert noise not in told


def test_passwords_of_sources_stay_out(tmp_path: Path) -> None:
    path = write_shop(tmp_path, n_customers=2)
    text = path.read_text().replace(
        'source = "purchases.csv"',
        'name = "till"\nsource = "postgresql://bob:secret@db/shop?x=secret"\nquery = "SELECT 1"',
    )
    path.write_text(text)
    sources = provenance.sources_of(read_settings(path))
    assert sources[0] == "postgresql://db/shop"
    assert "secret" not in str(sources)


def test_outside_a_repository_the_code_version_is_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    installed = provenance.code_version()
    (tmp_path / ".git").mkdir()  # as broken as it gets
    assert provenance.code_version() == installed
    assert installed.count(".") == 2


def test_telemetry_is_off_and_the_users_patience_is_kept(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    mlflow = registry.open_registry(shop)
    assert mlflow.environment_variables.MLFLOW_DISABLE_TELEMETRY.get()
    assert mlflow.environment_variables.MLFLOW_HTTP_REQUEST_TIMEOUT.get() == 77
