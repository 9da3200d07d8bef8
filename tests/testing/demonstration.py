"""The suite of a service that uses two vendors: the same test `TURNS` times, in parallel.

Each test has its own namespace, moves its clock and never sleeps.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import pytest
from galtea import Galtea, SessionStatus
from notte_sdk import NotteClient

from tests.sdk_environments.loopback_only import refuse_other_hosts

sys.addaudithook(refuse_other_hosts)
TURNS = range(int(os.environ["TURNS"]))


@pytest.fixture(scope="session")
def sessionary_settings():
    return {"galtea_auto_close_minutes": 30}


@pytest.fixture
def noon(turn):
    """Each test has its own day."""
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=turn)


@pytest.fixture
def namespace(sessionary_env, sessionary, noon):
    assert sessionary_env["NOTTE_API_KEY"] == sessionary.notte.key
    assert sessionary.sessions() == []
    sessionary.clock.freeze(noon)
    return sessionary


@pytest.mark.parametrize("turn", TURNS)
def test_a_browser_session_and_its_evaluation(namespace, turn, noon):
    minutes = 1 + turn % 5
    notte = NotteClient()
    browser = notte.sessions.start(idle_timeout_minutes=minutes)
    with Galtea(api_key=os.environ["GALTEA_API_KEY"]) as galtea:
        evaluation = galtea.sessions.create(version_id="ver_123", custom_id=f"turn-{turn}")

        assert notte.sessions.status(browser.session_id).created_at == noon
        namespace.clock.advance(minutes=minutes)
        assert notte.sessions.status(browser.session_id).status == "active"
        namespace.clock.advance(microseconds=1)
        assert notte.sessions.status(browser.session_id).status == "timed_out"

        namespace.clock.advance_until(evaluation.id, "COMPLETED")
        assert galtea.sessions.get(evaluation.id).status is SessionStatus.COMPLETED
        assert namespace.clock.now() == noon + timedelta(minutes=30)
        namespace.clock.freeze(noon)
        assert galtea.sessions.get(evaluation.id).status is SessionStatus.PENDING

    namespace.journal.assert_called(
        "POST", "/galtea/sessions", times=1, json={"versionId": "ver_123"}
    )
    assert [each["surface"] for each in namespace.sessions()] == ["notte", "galtea"]
