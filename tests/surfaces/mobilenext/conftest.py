"""Callers of Mobile Next in a lenient namespace and in a strict one with people and keys."""

import pytest

from tests import identities
from tests.conftest import App
from tests.surfaces.conftest import SharedApp
from tests.surfaces.mobilenext.api_client import Calls


@pytest.fixture
def strict(shared_app: SharedApp) -> App:
    """A strict namespace: Ana in acme and zeta, Rob who reads, a bot, and Cleo who is in none."""
    return shared_app("strict", identities.seed("mobilenext"))


@pytest.fixture
def calls(app: App) -> Calls:
    return Calls(app)
