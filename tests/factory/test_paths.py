"""Paths in unusual forms: the surface that responds is the one that checked the key."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask

from sessionary import create_app
from sessionary.factory import create_double
from sessionary.factory.error_handlers import MESSAGES
from sessionary.settings import Settings
from sessionary.web.operations import Operation
from tests.conftest import App, MakeApp, double_settings
from tests.processes import Process, running_double, running_server
from tests.raw_http import Response, send_and_read
from tests.seed_rows import row

SEED = "".join(
    (
        row("organizations"),
        row("users"),
        row("keys", 'secret = "notte-key"; surface = "notte"'),
        row("keys", 'secret = "galtea-key"; surface = "galtea"'),
        row("notte.sessions", 'created_ago = "1m"'),
        row("galtea.sessions", 'id = "session_s1"; custom_id = "c"; created_ago = "1m"'),
    )
)
TOKEN = {"Authorization": "Bearer right"}
NOTTES, GALTEAS = b"0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01", b"session_s1"
# Each seems to lead to one of the two surfaces, or out of it to the other.
PATHS = [
    before + middle + after
    for before in ("/notte", "/galtea", "", "/%6eotte")
    for middle in (
        "/", "//", "/./", "%2f", "%2F", "%5c", "/%2e/", "/x/../", "/../galtea/", "/../notte/",
        "/%2e%2e/galtea/", "/%2e%2e%2fnotte%2f", "/..%2fgaltea/", "/..;/galtea/", "/;/", "/%00/",
        "/%252e%252e/notte/", "/sessions/../", "/notte/", "/galtea/", "/~default/notte/",
        "/~t42/galtea/",
    )
    for after in (
        f"sessions/{NOTTES.decode()}",
        f"sessions/{GALTEAS.decode()}",
        "sessions?versionIds=version_v1",
    )
]  # fmt: skip


@pytest.fixture(scope="module", params=["serve", "double"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("paths")
    (folder / "seed.toml").write_text(SEED)
    options = ["--auth", "strict", "--seed", str(folder / "seed.toml")]
    start = running_double if request.param == "double" else running_server
    with start(*options, "--db", str(folder / "test.sqlite3")) as process:
        yield process


def get(server: Process, target: str, key: str, *headers: bytes) -> Response:
    who = b"Authorization: Bearer " + key.encode()
    lines = [b"GET %s HTTP/1.1" % target.encode(), b"Host: here", b"Connection: close", who]
    (said,) = send_and_read(server.url, b"\r\n".join([*lines, *headers, b"", b""]))
    return said


def test_each_key_opens_its_own_surface(server: Process) -> None:
    """Otherwise the tests below would test nothing."""
    assert get(server, f"/notte/sessions/{NOTTES.decode()}", "notte-key").status == 200
    assert get(server, f"/galtea/sessions/{GALTEAS.decode()}", "galtea-key").status == 200
    assert GALTEAS in get(server, "/sessions?versionIds=version_v1", "galtea-key").body


@pytest.mark.parametrize(
    ("paths", "headers"),
    [(PATHS, []), ([path for path in PATHS if ".." in path], [b"x-notte-sdk-version: 1"])],
    ids=["anybody", "Notte's client"],
)
def test_a_key_opens_no_other_surface_by_any_path(
    server: Process, paths: list[str], headers: list[bytes]
) -> None:
    for key, others in (("notte-key", GALTEAS), ("galtea-key", NOTTES), ("no-key", b'"id"')):
        for path in paths:
            said = get(server, path, key, *headers)
            assert said.status in (200, 400, 401, 404), path
            assert said.status == 400 or json.loads(said.body), path
            is_echo = said.status in (400, 404) and others.decode() in path
            assert is_echo or others not in said.body, (key, path)


@pytest.mark.parametrize(
    "target",
    [
        "http://elsewhere.example/notte/sessions", "HTTP://here/galtea/sessions/session_s1",
        "http://notte-key@here/notte/sessions", "//elsewhere.example/notte/sessions",
        "notte/sessions", "*", "here:80", "/notte/sessions#fragment",
    ],
)  # fmt: skip
def test_a_request_target_in_another_form_needs_a_key(server: Process, target: str) -> None:
    assert get(server, target, "no-key").status in (400, 401, 404)


def test_a_path_after_two_slashes_is_not_found_with_any_key(server: Process) -> None:
    for path in (f"//notte/sessions/{NOTTES.decode()}", f"/%2fsessions/{GALTEAS.decode()}"):
        for key in ("notte-key", "galtea-key"):
            assert get(server, path, key).status in (400, 404), path


def journaled(flask_app: Flask, namespace: str = "") -> list[str]:
    """The paths of the recorded calls."""
    said = flask_app.test_client().get(f"{namespace}/_control/v1/journal", headers=TOKEN)
    return [call["path"] for call in said.get_json()["calls"]]


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_a_path_with_several_leading_slashes_has_no_route_and_is_recorded(
    make_app: MakeApp, slashes: str
) -> None:
    flask_app = make_app(control=True, control_token="right", journal=True).flask_app
    for path in ("_control/v1/clock", "sessions/start", "notte/session/start", "livez", ""):
        for method in ("GET", "POST"):
            as_sent = {"PATH_INFO": slashes + path, "REQUEST_METHOD": method}
            said = flask_app.test_client().open("/", headers=TOKEN, environ_overrides=as_sent)
            assert said.status_code == 404, path
            assert said.get_json() == {"error": "not_found", "message": MESSAGES[404]}
            assert journaled(flask_app)[-1] == slashes + path


@pytest.mark.parametrize("prefix", ["/~t42//", "//", "//~t42/"])
def test_a_double_has_no_route_for_it_in_any_namespace(prefix: str) -> None:
    flask_app = create_double(double_settings(control_token="right"))
    flask_app.extensions["sessionary.control"].namespaces.create("t42")
    for path in ("_control/v1/clock", "notte/sessions"):
        as_sent = {"PATH_INFO": prefix + path}
        said = flask_app.test_client().get("/", headers=TOKEN, environ_overrides=as_sent)
        assert said.status_code == 404, path
    own = prefix.removeprefix("/~t42")
    assert journaled(flask_app, prefix[: -len(own)]) == [
        f"{own}_control/v1/clock",
        f"{own}notte/sessions",
    ]
    flask_app.extensions["sessionary.control"].namespaces.close()


def test_a_server_has_no_other_namespaces(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    db = str(tmp_path_factory.mktemp("paths") / "test.sqlite3")
    with running_server("--db", db, "--auth", "lenient") as server:
        for path in ("/~default/notte/sessions", "/~t42/notte/sessions", "/~/notte/sessions"):
            assert get(server, path, "anyone").status == 404
        in_namespace = b"Sessionary-Namespace: t42"
        assert get(server, "/notte/sessions", "anyone", in_namespace).status == 404
        assert get(server, "/notte/sessions", "ns-t42-anyone").status == 200


def control_routes() -> list[tuple[str, str]]:
    """Method and path of each route of the control plane, and of some unknown ones."""
    token = {"control": True, "control_token": "t"}
    flask_app = create_app(Settings(db=":memory:", auth="lenient", **token))  # type: ignore[arg-type]
    with closing(flask_app.extensions["sessionary"]):
        found = [
            (method, rule.rule.replace("<", "").replace(">", ""))
            for rule in flask_app.url_map.iter_rules()
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            if isinstance(flask_app.view_functions[rule.endpoint], Operation)
            and rule.rule.startswith("/_control/")
        ]
    assert len(found) > 20
    return [*found, ("GET", "/_control/v1"), ("GET", "/_control/v1/nothing"), ("GET", "/_control")]


CONTROL = pytest.mark.parametrize(("method", "path"), control_routes())


@CONTROL
def test_without_control_there_is_no_control_plane(app: App, method: str, path: str) -> None:
    variants = (path, path + "/", path.replace("_control", "%5fcontrol"), f"/notte{path}")
    for variant in variants:
        said = app.client.open(variant, method=method, headers={"Authorization": "Bearer t"})
        assert said.status_code == 404, variant


@pytest.fixture(scope="module")
def controlled() -> Iterator[App]:
    token = {"control": True, "control_token": "right"}
    app = App(
        create_app(Settings(db=":memory:", auth="lenient", **token))  # type: ignore[arg-type]
    )
    with closing(app.namespace):
        yield app


@CONTROL
@pytest.mark.parametrize("token", [None, "", "wrong", "righ", "right ways"])
def test_the_control_plane_does_nothing_without_its_token(
    controlled: App, method: str, path: str, token: str | None
) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    before = controlled.dump()
    said = controlled.client.open(path, method=method, headers=headers, json={})
    assert said.status_code == 401
    assert controlled.dump() == before
