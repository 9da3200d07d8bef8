import json
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from sessionary import create_app, logs
from sessionary.factory.request_id_middleware import HEADER
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface
from tests.conftest import App, MakeApp

WHO = {"Authorization": "Bearer anyone"}
FORMATS = ["text", "json"]
each_format = pytest.mark.parametrize("log_format", FORMATS)
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


@pytest.fixture(autouse=True)
def _restore_loggers() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("sessionary", "gunicorn.error")]
    before = [(each, each.handlers[:], each.level, each.propagate) for each in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate


def client(app: App, log_format: str) -> FlaskClient:
    """Make a client of an application with this log format."""
    logs.configure(log_format)
    return create_app(app.settings, app.namespace, logs.access_log(log_format)).test_client()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_request_is_one_line_of_text(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client(app, "text").get("/notte/sessions/x", headers=WHO)
    (line,) = lines(capsys)
    assert re.fullmatch(
        r"\S+Z GET notte /sessions/\{session_id\} 404 [0-9.]+ms "
        rf"organization=0{{23}}1 request={answer.headers[HEADER]}",
        line,
    )


def test_a_request_is_one_json_object(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    answer = client(app, "json").post("/session/start", json={}, headers=WHO)
    (line,) = map(json.loads, lines(capsys))
    assert line.pop("time").endswith("Z")
    assert line.pop("milliseconds") > 0
    assert line == {
        "method": "POST",
        "surface": "notte",
        "route": "/session/start",
        "status": 200,
        "organization": "0" * 23 + "1",
        "request_id": answer.headers[HEADER],
    }


@pytest.mark.parametrize(
    ("path", "surface", "route"),
    [
        ("/sessions/x", "galtea", "/sessions/{session_id}"),
        ("/galtea/sessions/x", "galtea", "/sessions/{session_id}"),
        ("/v4/sessions/x/", "scale", "/v4/sessions/{session_id}"),
        ("/notte/openapi.json", "notte", "/openapi.json"),
        ("/livez", None, "/livez"),
        ("/api/v1/nowhere", "mobilenext", None),
        ("/nowhere", None, None),
    ],
)
def test_a_line_names_surface_and_route_as_in_the_openapi_document(
    app: App, capsys: pytest.CaptureFixture[str], path: str, surface: str | None, route: str | None
) -> None:
    client(app, "json").get(path)
    (line,) = map(json.loads, lines(capsys))
    assert (line["surface"], line["route"]) == (surface, route)


@pytest.mark.parametrize("given", ["a", "A-1.b_2", "x" * 128])
def test_a_request_keeps_the_id_that_it_sends(
    app: App, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    answer = client(app, "json").get("/health", headers={"X-Request-Id": given})
    (line,) = map(json.loads, lines(capsys))
    assert answer.headers[HEADER] == line["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "ä", "a\tb", "{}", '"'])
def test_a_malformed_id_is_replaced_by_a_new_one(app: App, given: str) -> None:
    answer = app.client.get("/health", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{16}", answer.headers[HEADER])


def test_generated_request_ids_are_unique(app: App) -> None:
    ids = {app.client.get("/livez").headers[HEADER] for _ in range(100)}
    assert len(ids) == 100


@each_format
def test_an_error_is_logged_with_the_id_of_its_request(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    from sessionary.surfaces.notte import serializers

    monkeypatch.setattr(serializers, "session", lambda *_: {}["gone"])
    client(app, log_format).post("/session/start", json={}, headers=WHO | {"X-Request-Id": "mine"})
    logging.getLogger("sessionary").error("outside of a request")
    error_line, *_, request, later = lines(capsys)
    assert "POST /session/start failed" in error_line
    assert "mine" in error_line
    assert "mine" in request
    assert "mine" not in later


def test_an_error_is_logged_with_its_trace_in_one_json_object(
    app: App, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessionary.surfaces.notte import serializers

    monkeypatch.setattr(serializers, "session", lambda *_: {}["gone"])
    client(app, "json").post("/session/start", json={}, headers=WHO)
    error_line, request = map(json.loads, lines(capsys))
    assert (error_line["level"], error_line["message"]) == ("error", "POST /session/start failed")
    assert "KeyError: 'gone'" in error_line["exception"]
    assert error_line["request_id"] == request["request_id"]
    assert request["status"] == 500


@each_format
def test_neither_path_nor_method_nor_organization_can_forge_a_line(
    make_app: MakeApp, tmp_path: Path, capsys: pytest.CaptureFixture[str], log_format: str
) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text('[[organizations]]\nid = "a\\nb organization=c"\nname = "Forger"\n')
    forging = client(make_app(seed=str(seed)), log_format)
    forging.get("/notte/x%0a2026 INFO forged%1b[31m", headers=WHO)
    forging.get("/notte/sessions", headers=WHO)
    forging.open("/notte/sessions", method="A\nB", headers=WHO)
    found = lines(capsys)
    assert len(found) == 3
    assert not [line for line in found if "forged" in line]
    if log_format == "text":
        assert found[1].count("organization=") == 1
    else:
        assert json.loads(found[1])["organization"] == "a\nb organization=c"


def test_a_full_log_fails_no_request(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", buffering=1)  # noqa: SIM115 - closing it fails too
    monkeypatch.setattr("sys.stderr", full)
    assert client(app, "text").get("/health").status_code == 200
    with suppress(OSError):
        full.close()


def calls(surface: Surface, secret: str) -> Iterator[dict[str, Any]]:
    """Requests with a secret in every place that can hold one."""
    headers = [
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"Basic {secret}"},
        {"Authorization": secret},
        {"x-api-key": secret},
        {"Cookie": f"session={secret}", "Proxy-Authorization": secret},
    ]
    name, *_ = surface.root_segments
    places: list[dict[str, Any]] = [
        {"path": f"/{surface.name}/sessions/{quote(secret)}"},
        {"path": f"/{name}/{quote(secret)}/x"},
        {"path": f"/{name}?key={quote(secret)}&api_key={quote(secret)}"},
        {"path": f"/{name}/{quote(secret)}", "method": "POST", "json": {"secret": secret}},
        {"path": f"/{surface.name}/{name}/x", "method": "POST", "data": secret},
    ]
    for each in headers:
        yield from ({**place, "headers": each} for place in places)


@each_format
@each_surface
def test_no_credential_is_logged(
    make_app: MakeApp,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    surface: Surface,
    log_format: str,
) -> None:
    """Of known and unknown callers, and after an internal error."""
    from sessionary.web import context

    secrets = [f"{surface.key_prefix}hush{number}" for number in range(2)] + ["hush hush"]
    for auth in ("lenient", "strict"):
        logged_client = client(make_app(auth=auth), log_format)
        for secret in secrets:
            for call in calls(surface, secret):
                logged_client.open(**call)
    monkeypatch.setattr(context, "authenticate_key", lambda *_, **__: {}["gone"])
    for call in calls(surface, secrets[0]):
        logged_client.open(**call)
    log_text = capsys.readouterr().err
    assert len(log_text.splitlines()) >= 2 * len(secrets) * 25
    assert "gone" in log_text
    assert "hush" not in log_text
