import json
import logging
from collections.abc import Iterator

import pytest

from sessionary import logs
from tests.conftest import Sandbox

WHO = {"Authorization": "Bearer anyone"}


@pytest.fixture(autouse=True)
def _leave_the_logger_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("sessionary")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_request_is_one_line_of_text(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("text")
    sandbox.client.get("/health")
    (line,) = lines(capsys)
    assert " INFO GET /health 200 " in line


def test_a_request_is_one_json_object_with_its_parts(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json")
    sandbox.client.post("/session/start", json={}, headers=WHO)
    (line,) = map(json.loads, lines(capsys))
    assert line["milliseconds"] > 0
    assert (line["method"], line["path"], line["status"], line["level"]) == (
        "POST",
        "/session/start",
        200,
        "info",
    )


def test_a_mishap_is_logged_with_its_trace_in_one_json_object(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessionary.surfaces.notte import serializers

    logs.configure("json")
    monkeypatch.setattr(serializers, "session", lambda *_: {}["gone"])
    sandbox.client.post("/session/start", json={}, headers=WHO)
    mishap, request = map(json.loads, lines(capsys))
    assert mishap["message"] == "POST /session/start failed"
    assert "KeyError: 'gone'" in mishap["exception"]
    assert request["status"] == 500


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_path_cannot_forge_a_line(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    logs.configure(form)
    sandbox.client.get("/notte/x%0a2026 INFO forged%1b[31m", headers=WHO)
    assert len(lines(capsys)) == 1
