"""Access to the control plane without a token."""

from collections.abc import Callable

import pytest

from sessionary import Settings, create_app
from sessionary.factory import create_double
from sessionary.settings import BadSetting
from tests.conftest import double_settings
from tests.control.conftest import Double


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_double_on_loopback_needs_no_token(make_double: Callable[..., Double], host: str) -> None:
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


def test_with_a_token_any_origin_is_accepted() -> None:
    app = create_double(double_settings(control_token="hush"))
    page = {"Origin": "https://dashboard.example", "Host": "double.example"}
    seen = [
        app.test_client().get("/_control/v1/clock", headers=page | who).status_code
        for who in ({}, {"Authorization": "Bearer hush"})
    ]
    assert seen == [401, 200]
    app.extensions["sessionary"].close()


def test_vendor_calls_are_accepted_with_any_host(double: Double) -> None:
    headers = {"Host": "api.notte.example", "Authorization": "Bearer sk-notte-1"}
    assert double.client.get("/notte/sessions", headers=headers).status_code == 200
