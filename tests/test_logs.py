import json
import logging
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from sessionary import create_app, logs
from tests.conftest import Sandbox

WHO = {"Authorization": "Bearer anyone"}


@pytest.fixture(autouse=True)
def _leave_the_logger_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("sessionary")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def client(sandbox: Sandbox, form: str) -> FlaskClient:
    """A client whose requests are logged to stderr in this form."""
    logs.configure(form)
    return create_app(sandbox.settings, sandbox.world, logs.to_stderr(form)).test_client()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_request_is_one_line_of_text(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    client(sandbox, "text").get("/health")
    (line,) = lines(capsys)
    assert re.fullmatch(r"\S+Z GET /health 200 [0-9.]+ms", line)


def test_a_request_is_one_json_object_with_its_parts(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    client(sandbox, "json").post("/session/start", json={}, headers=WHO)
    (line,) = map(json.loads, lines(capsys))
    assert line["milliseconds"] > 0
    assert (line["method"], line["path"], line["status"]) == ("POST", "/session/start", 200)


def test_a_mishap_is_logged_with_its_trace_in_one_json_object(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessionary.surfaces.notte import serializers

    monkeypatch.setattr(serializers, "session", lambda *_: {}["gone"])
    client(sandbox, "json").post("/session/start", json={}, headers=WHO)
    mishap, request = map(json.loads, lines(capsys))
    assert (mishap["level"], mishap["message"]) == ("error", "POST /session/start failed")
    assert "KeyError: 'gone'" in mishap["exception"]
    assert request["status"] == 500


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_path_cannot_forge_a_line(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    client(sandbox, form).get("/notte/x%0a2026 INFO forged%1b[31m", headers=WHO)
    assert len(lines(capsys)) == 1
