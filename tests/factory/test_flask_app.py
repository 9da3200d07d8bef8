"""The application behaves as Flask does, hook by hook."""

from typing import Any

import pytest
from flask import Blueprint, Flask, abort, after_this_request, g, request, request_started, session

from sessionary.factory.flask_app import SessionaryFlask


def _make_app(cls: type[Flask], events: list[str]) -> Flask:
    app, outer, inner = cls("sample"), Blueprint("outer", "sample"), Blueprint("inner", "sample")

    for name, place in (("app", app), ("outer", outer), ("inner", inner)):
        place.before_request(lambda name=name: events.append(f"before {name}"))
        place.after_request(lambda response, name=name: events.append(f"after {name}") or response)
        place.teardown_request(lambda error, name=name: events.append(f"end {name} {error!r}"))
        place.get("/plain/<int:number>")(_plain)
        place.post("/plain/<int:number>", endpoint="post")(_post)
        place.get("/raises", endpoint="raises")(_raise)
        place.get("/aborts", endpoint="aborts")(lambda: abort(418))
    app.teardown_appcontext(lambda error: events.append(f"end context {error!r}"))
    app.register_error_handler(ZeroDivisionError, lambda error: (f"handled {error}", 500))
    outer.register_blueprint(inner, url_prefix="/inner")
    inner.before_request(_stop)
    app.register_blueprint(outer, url_prefix="/outer")
    return app


def _plain(number: int) -> Any:
    after_this_request(lambda response: response.headers.add("After", "this") or response)
    g.seen = number
    url = [request.path, request.endpoint, request.blueprints, request.host, request.url]
    return {"number": g.seen, "url": url, "session": dict(session)}


def _post(number: int) -> str:
    return str(number)


def _raise() -> str:
    return str(1 // 0)


def _stop() -> str | None:
    return "stopped" if "stop" in request.args else None


PATHS = [
    f"{prefix}{path}"
    for prefix in ("", "/outer", "/outer/inner")
    for path in (
        "/plain/7",
        "/plain/7?stop=1",
        "/plain/x",
        "/raises",
        "/aborts",
        "//plain/7?a=1",
        "/no",
    )
]


def _responses(cls: type[Flask], *, has_preprocessor: bool = False) -> list[Any]:
    events: list[str] = []
    app = _make_app(cls, events)
    if has_preprocessor:
        app.url_value_preprocessor(lambda endpoint, _: events.append(f"values of {endpoint}"))
    client, seen = app.test_client(), []
    for path in PATHS:
        for method in ("GET", "POST", "OPTIONS"):
            response = client.open(path, method=method, base_url="http://Example.com:8000/mounted")
            headers = sorted(response.headers.items())
            seen.append((method, path, response.status, headers, response.data, events.copy()))
            events.clear()
    return seen


@pytest.mark.parametrize("has_preprocessor", [False, True])
def test_every_hook_and_error_runs_as_in_flask(has_preprocessor: bool) -> None:
    ours = _responses(SessionaryFlask, has_preprocessor=has_preprocessor)
    assert ours == _responses(Flask, has_preprocessor=has_preprocessor)
    assert any("before inner" in each[-1] for each in ours)
    assert {each[2][:3] for each in ours} == {"200", "308", "404", "405", "418", "500"}


def test_signals_are_sent() -> None:
    app, seen = _make_app(SessionaryFlask, []), []
    with request_started.connected_to(lambda *_, **__: seen.append(request.path), app):
        app.test_client().get("/plain/1")
    assert seen == ["/plain/1"]
