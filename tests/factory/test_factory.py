import logging
from pathlib import Path
from typing import Any

import pytest

from sessionary import create_app, identity
from sessionary.factory import error_handlers, namespace_middleware
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web.events import INVALID_KEY, OUTAGE, RequestFinished
from sessionary.web.surface import Surface
from tests.conftest import App, MakeApp
from tests.processes import run_python

WHO = {"Authorization": "Bearer anyone"}


def credential(surface: Surface) -> dict[str, str]:
    """Headers with a credential that a lenient application accepts."""
    token = f"{surface.key_prefix}anyone"
    return {"Authorization": f"Bearer {token}", "x-api-key": token}


each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


@each_surface
def test_an_error_without_a_route_has_the_body_of_its_surface(app: App, surface: Surface) -> None:
    unknown = [f"/{each}/no/such/path" for each in (surface.name, *surface.root_segments)]
    calls = [(404, "GET", path) for path in unknown]
    calls += [(405, each, f"/{surface.name}/openapi.json") for each in ("PUT", "OPTIONS", "TRACE")]
    for status, method, path in calls:
        answer = app.client.open(path, method=method, headers=credential(surface))
        assert (answer.status_code, answer.headers.get("Allow")) == (
            status,
            "GET, HEAD" if status == 405 else None,
        )
        assert answer.json == surface.error_body(status, error_handlers.MESSAGES[status])
        answer = app.client.open(path, method=method)
        assert answer.status_code == 401, path
        assert answer.json == surface.error_body(401, error_handlers.MESSAGES[401])


@each_surface
@pytest.mark.parametrize("at", ["+1h", "-1h", "soon"])
def test_sessionary_at_changes_no_error_without_route(app: App, surface: Surface, at: str) -> None:
    client, who = app.client, credential(surface) | {"Sessionary-At": at}
    for method in ("GET", "POST"):
        answer = client.open(f"/{surface.name}/nowhere", method=method, headers=who)
        assert answer.json == surface.error_body(404, error_handlers.MESSAGES[404])
        assert answer.status_code == 404
    answer = client.put(f"/{surface.name}/openapi.json", headers=who)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    unknown = client.post(f"/{surface.name}/nowhere", headers={"Sessionary-At": at})
    assert unknown.status_code == 401


def test_a_path_outside_the_surfaces_is_404_without_a_key(app: App) -> None:
    for path in ("/", "/nowhere", "//", "/Notte/sessions", "/~t42/notte/health"):
        answer = app.client.get(path)
        assert answer.status_code == 404, path
        assert answer.json["error"] == "not_found"


@pytest.mark.parametrize("path", ["/health", "/health/", "/notte/health", "/notte/health/"])
def test_one_trailing_slash_is_the_same_route(app: App, path: str) -> None:
    assert app.client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/health//", "//health", "/notte//health", "/notte/health//"])
def test_slashes_are_not_merged_and_nothing_is_redirected(app: App, path: str) -> None:
    as_sent = {"PATH_INFO": path}
    answer = app.client.get("/", headers=WHO, environ_overrides=as_sent)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "headers", "is_claimed"),
    [
        ("POST", "/sessions/start", {}, True),
        ("POST", "/sessions/start/", {}, True),
        ("DELETE", "/sessions/x/stop", {}, True),
        ("GET", "/sessions", {"x-notte-sdk-version": "1"}, True),
        ("GET", "/sessions/", {"x-notte-sdk-version": "1"}, True),
        ("PATCH", "/sessions/x", {"x-notte-sdk-version": ""}, True),
        ("GET", "/sessions", {}, False),
        ("POST", "/sessions", {}, False),
        ("GET", "/sessions/start", {}, False),
        ("PUT", "/sessions/start", {}, False),
        ("DELETE", "/sessions/x", {}, False),
        ("DELETE", "/sessions/stop", {}, False),
        ("DELETE", "/sessions/x/y/stop", {}, False),
        ("GET", "/sessionsx", {"x-notte-sdk-version": "1"}, False),
    ],
)
def test_a_path_under_sessions_at_the_root_belongs_to_one_surface(
    method: str, path: str, headers: dict[str, str], is_claimed: bool
) -> None:
    routed_path = namespace_middleware.make_routed_path(SURFACES)
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()}
    assert routed_path(environ).startswith("/notte/") is is_claimed


def test_an_unexpected_error_is_500_without_details_and_is_logged(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sessionary.surfaces.notte import serializers

    monkeypatch.setattr(serializers, "session", lambda *_: {}["secret detail"])
    with caplog.at_level(logging.ERROR, "sessionary"):
        answer = app.client.post("/session/start", json={}, headers=WHO)
    assert answer.status_code == 500
    assert answer.json == {"detail": "Internal server error"}
    assert "secret detail" in caplog.text


@each_surface
def test_an_error_at_an_unrouted_path_is_500_in_the_error_body_of_its_surface(
    app: App, monkeypatch: pytest.MonkeyPatch, surface: Surface
) -> None:
    monkeypatch.setattr("sessionary.web.context.authenticate_key", lambda *_, **__: {}["gone"])
    answer = app.client.get(f"/{surface.name}/nowhere", headers=credential(surface))
    assert answer.status_code == 500
    assert answer.json == surface.error_body(500, error_handlers.MESSAGES[500])


def test_each_observer_is_called_once_per_request(app: App) -> None:
    told: list[RequestFinished] = []
    flask_app = create_app(app.settings, app.namespace, told.append, told.append)
    flask_app.test_client().post("/session/start?x=hidden", json={}, headers=WHO)
    first, second = told
    assert first == second
    assert (first.surface, first.method, first.route) == ("notte", "POST", "/session/start")
    assert (first.status, first.failure, first.seconds > 0) == (200, None, True)


def test_the_event_has_the_reason_an_invalid_key_or_an_outage(make_file_app: MakeApp) -> None:
    app = make_file_app()
    told: list[RequestFinished] = []
    client = create_app(app.settings, app.namespace, told.append).test_client()
    client.post("/session/start", json={})
    file = Path(app.settings.db)
    file.rename(file.with_name("elsewhere"))
    client.post("/session/start", json={}, headers=WHO)
    assert [(each.status, each.failure) for each in told] == [(401, INVALID_KEY), (503, OUTAGE)]


def test_the_first_start_of_a_strict_server_creates_a_key_for_each_surface_once(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(db=str(tmp_path / "test.sqlite3"))
    flask_app = create_app(settings)
    said = capsys.readouterr().out
    flask_app.extensions["sessionary"].close()
    for surface in SURFACES:
        assert f"  {surface.name:<11} {surface.key_prefix}" in said
        assert f"http://127.0.0.1:8000/{surface.name}/" in said
    again = create_app(settings)
    again.extensions["sessionary"].close()
    assert capsys.readouterr().out == ""


def test_a_lenient_server_creates_no_keys(app: App) -> None:
    with app.namespace.activate():
        assert not identity.has_keys()


def test_no_first_keys_are_created_if_the_seed_has_keys(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(
        '[[users]]\nid = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"\nname = "Ana"\n'
        '[[keys]]\nsecret = "s"\nuser = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"\n'
    )
    flask_app = create_app(Settings(db=":memory:", seed=str(file)))
    flask_app.extensions["sessionary"].close()
    assert capsys.readouterr().out == ""


def test_an_installation_can_start_with_a_scaled_clock() -> None:
    from sessionary import clock

    flask_app = create_app(Settings(db=":memory:", auth="lenient", clock_rate=40))
    namespace = flask_app.extensions["sessionary"]
    with namespace.activate():
        assert (clock.state().mode, clock.state().rate) == ("scaled", 40.0)
    namespace.close()


def test_importing_the_package_loads_neither_flask_nor_the_database() -> None:
    script = "import sys, sessionary; print({'flask', 'peewee', 'marshmallow'} & set(sys.modules))"
    assert run_python(script) == "set()\n"


def test_rules_build_no_urls(app: App) -> None:
    for rule in app.flask_app.url_map.iter_rules():
        with pytest.raises(NotImplementedError):
            rule.build(dict.fromkeys(rule.arguments, "1"))
