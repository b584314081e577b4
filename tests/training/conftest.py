"""What the tests of training share."""

import pytest

from tests.training.bundles import Float64, bundle_of, plan_of
from training.bundle import Bundle


@pytest.fixture(scope="session")
def trained() -> tuple[Bundle, Float64]:
    """A bundle and the rows that it learned from."""
    return bundle_of(plan_of("city"))
