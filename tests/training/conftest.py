"""What the tests of training share."""

from collections.abc import Iterator

import pytest

from training import model


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small ensembles wait for each other's threads longer than they work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(model.PARAMETERS, "num_threads", 1)
        yield
