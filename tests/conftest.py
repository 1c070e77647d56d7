"""What every test shares: the rows of the table as they are declared, and how hypothesis runs."""

import pytest
from hypothesis import HealthCheck, settings

from autograd.core.table import TABLE
from autograd.operations import forget

DECLARED = dict(TABLE)  # before any test declares an operation of its own

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_addoption(parser):
    parser.addoption(
        "--rebuild-notebooks", action="store_true", help="execute the notebooks and write their .ipynb files"
    )


@pytest.fixture(autouse=True)
def _only_declared_operations():
    """Operations that a test declares are gone after it."""
    yield
    for name in set(TABLE) - set(DECLARED):
        forget(name)
