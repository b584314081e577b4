"""What the tests of training share."""

from collections.abc import Iterator

import pytest

from tests.training.bundles import Float64, bundle_of, plan_of
from training import model
from training.bundle import Bundle


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small ensembles wait for each other's threads longer than they work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(model.PARAMETERS, "num_threads", 1)
        yield


@pytest.fixture(scope="session")
def trained(one_thread: None) -> tuple[Bundle, Float64]:
    """A bundle and the rows that it learned from."""
    return bundle_of(plan_of("city"))
