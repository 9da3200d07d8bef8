"""Access to the control plane without a token."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import Client as WSGIClient

from sessionary import Settings, create_app
from sessionary.factory import create_double
from sessionary.settings import BadSetting
from sessionary.testing import Server
from tests.conftest import double_settings
from tests.control.conftest import GALTEA, NOTTE, SCALE, Double, MakeDouble


@pytest.fixture
def make_client() -> Iterator[Callable[..., FlaskClient]]:
    """Make a double; gives its client."""
    with ExitStack() as stack:

        def make(**settings: Any) -> FlaskClient:
            app = create_double(double_settings(**settings))
            stack.callback(app.extensions["sessionary.control"].namespaces.close)
            return app.test_client()

        yield make


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_double_on_loopback_needs_no_token(make_double: MakeDouble, host: str) -> None:
    assert make_double(host=host).get("/clock")["mode"] == "frozen"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "double.example", "127.evil.com"])  # noqa: S104
def test_a_double_on_another_address_needs_a_token(host: str) -> None:
    with pytest.raises(BadSetting, match=f"host {host} .*SESSIONARY_CONTROL_TOKEN"):
        create_double(double_settings(host=host))
    for enough in ({"control_token": "hush"}, {"control": False, "journal": False}):
        create_double(double_settings(host=host, **enough)).extensions["sessionary"].close()


@pytest.mark.parametrize("token", [None, ""])
def test_a_server_needs_a_token_on_every_address(token: str | None) -> None:
    with pytest.raises(BadSetting, match="SESSIONARY_CONTROL_TOKEN"):
        create_app(Settings(db=":memory:", control=True, control_token=token))


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null"])
def test_a_request_with_a_foreign_origin_is_refused(double: Double, origin: str) -> None:
    for method, path in (("POST", "/clock/advance"), ("GET", "/clock"), ("GET", "/sessions")):
        answer = double.call(method, path, json={"by": "1h"}, headers={"Origin": origin})
        assert answer.status_code == 403
        assert answer.content_type == "application/problem+json"
        assert origin in answer.json["detail"]
    assert double.get("/clock")["now"].startswith("2026-03-01T12:00:00")


def test_a_request_with_its_own_origin_is_accepted(double: Double) -> None:
    own = {"Origin": "http://localhost:8000", "Host": "localhost:8000"}
    assert double.call("GET", "/clock", headers=own).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "Evil.Example.", "127.0.0.1.evil.example:8000"]
)
def test_a_registrable_host_name_is_refused(double: Double, host: str) -> None:
    answer = double.call("POST", "/clock/advance", json={"by": "1h"}, headers={"Host": host})
    assert answer.status_code == 403
    assert "SESSIONARY_CONTROL_TOKEN" in answer.json["detail"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "[::1]:8000", "localhost", "double:8000", "a.test", "notte.localhost:1"],
)
def test_a_reserved_host_name_is_accepted(double: Double, host: str) -> None:
    assert double.call("GET", "/clock", headers={"Host": host}).status_code == 200


def test_with_a_token_the_control_plane_accepts_any_origin() -> None:
    app = create_double(double_settings(control_token="hush"))
    page = {"Origin": "https://dashboard.example", "Host": "double.example"}
    seen = [
        app.test_client().get("/_control/v1/clock", headers=page | who).status_code
        for who in ({}, {"Authorization": "Bearer hush"})
    ]
    assert seen == [401, 200]
    app.extensions["sessionary"].close()


VENDOR_CALLS = (
    ("/notte/sessions", NOTTE),
    ("/~t1/notte/sessions", NOTTE),
    ("/v4/sessions", SCALE),
    ("/galtea/sessions", GALTEA),
    ("/health", {}),
    ("/livez", {}),
    ("/nowhere", {}),
)


EMBEDDED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}


@pytest.mark.parametrize("token", [None, "hush"])
@pytest.mark.parametrize(
    "page",
    [
        {"Host": "evil.example:8000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        EMBEDDED | {"Referer": "https://evil.example/"},
    ],
)
@pytest.mark.parametrize(("path", "who"), VENDOR_CALLS)
def test_a_vendor_call_of_a_web_page_is_refused_in_the_vendors_words(
    make_client: Callable[..., FlaskClient],
    path: str,
    who: dict[str, str],
    page: dict[str, str],
    token: str | None,
) -> None:
    client = make_client(control_token=token)
    answer = client.get(path, headers=page | who)
    assert answer.status_code == 403
    refused = list(page.values())[-1]
    assert refused in answer.text
    assert ("detail" in answer.json) is ("notte" in path or path in ("/health", "/v4/sessions"))


def test_a_link_of_another_site_may_be_followed(make_client: Callable[..., FlaskClient]) -> None:
    followed = {**EMBEDDED, "Sec-Fetch-Dest": "document"}
    assert make_client().get("/health", headers=followed).status_code == 200


def test_allowed_host_names_are_accepted_and_no_others(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(allowed_hosts="Api.notte.example, double.example")
    hosts = ("api.notte.example", "api.notte.example:8001", "double.example.", "example")
    for host in hosts:
        assert client.get("/notte/sessions", headers=NOTTE | {"Host": host}).status_code == 200
    for host in ("notte.example", "x.double.example"):
        refused = client.get("/notte/sessions", headers=NOTTE | {"Host": host})
        assert refused.status_code == 403
        assert f"SESSIONARY_ALLOWED_HOSTS={host}" in refused.json["detail"]


def test_a_double_that_other_machines_reach_accepts_any_host_and_origin(
    make_client: Callable[..., FlaskClient],
) -> None:
    client = make_client(host="0.0.0.0", control_token="hush")  # noqa: S104
    page = {"Host": "api.notte.example", "Origin": "https://app.notte.example"}
    assert client.get("/notte/sessions", headers=NOTTE | page).status_code == 200


def test_a_mounted_server_accepts_vendor_calls_with_any_host() -> None:
    server = Server()
    client, page = WSGIClient(server), {"Host": "api.notte.example"}
    assert client.get("/notte/sessions", headers=NOTTE | page).status_code == 200
    assert client.get("/_control/v1/clock", headers=page).status_code == 403
    server.stop()


def test_every_read_of_the_control_plane_has_the_same_gates(
    make_client: Callable[..., FlaskClient],
) -> None:
    local, guarded = make_client(), make_client(control_token="t")
    rules = [rule for rule in local.application.url_map.iter_rules() if "GET" in rule.methods]  # type: ignore[operator]
    paths = {re.sub("<[^>]*>", "1", rule.rule) for rule in rules}
    paths = {path for path in paths if path.startswith("/_control/v1/")}
    assert {f"/_control/v1/{name}" for name in ("lanes", "changes", "surfaces", "server")} <= paths
    for path in paths - {"/_control/v1/openapi.json"}:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            assert local.get(path, headers=headers).status_code == 403, path
        assert guarded.get(path).status_code == 401, path
