"""The vendor's SDK for TypeScript, unmodified. Its conversation checks each answer itself."""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk_environments import sdk_script
from tests.surfaces.notte.conftest import KEY

SCRIPT = Path(__file__).with_name("conversation_notte_sdk.mjs")


@pytest.fixture(scope="module", params=[0, 1], ids=["prefix", "root"])
def results(request: pytest.FixtureRequest, urls: list[str]) -> Any:
    return sdk_script.run_node(SCRIPT, urls[request.param], KEY)


def test_a_session_is_started_used_and_stopped(results: dict[str, Any]) -> None:
    started, stopped = results["started"], results["stopped"]
    assert (started["status"], started["idle_timeout_minutes"]) == ("active", 5)
    end = {"status": "closed", "close_reason": "manual", "closed_at": "2026-03-01T12:00:00.000000Z"}
    assert stopped == started | end


def test_the_client_reads_the_fields_of_newer_clients(results: dict[str, Any]) -> None:
    expected = {
        "use_file_storage": True,
        "network_request_bytes": 0,
        "network_response_bytes": 0,
        "cdp_url": None,
        "viewer_url": None,
    }
    assert results["started"].items() >= expected.items()


def test_a_refusal_is_an_error_with_the_server_s_text(results: dict[str, Any]) -> None:
    unknown = "Failed to get session status: "
    assert results["refused"]["unknown"].startswith(unknown)
    assert '"detail": "Session nothing not found"' in results["refused"]["unknown"]
