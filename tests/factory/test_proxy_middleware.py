"""`X-Forwarded-` headers are used from trusted proxies only."""

from collections.abc import Iterable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from sessionary.factory.proxy_middleware import TrustedProxyMiddleware
from sessionary.settings import BadSetting, Settings, networks
from tests.conftest import MakeApp

TRUSTED = "10.0.0.0/8, 2001:db8::/32,192.0.2.1"
TOLD = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "sessions.example",
    "X-Forwarded-Prefix": "/sessions",
}


def seen(remote: str, **headers: str) -> tuple[str, str, str, str]:
    """Address, scheme, host and prefix of a request, as the application sees them."""
    found: dict[str, Any] = {}

    def application(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        found.update(environ)
        return []

    environ = EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": remote}).get_environ()
    TrustedProxyMiddleware(application, networks(TRUSTED))(environ, None)
    names = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME")
    return tuple(found[name] for name in names)  # type: ignore[return-value]


@pytest.mark.parametrize("proxy", ["10.1.2.3", "2001:db8::1", "192.0.2.1", "::ffff:10.1.2.3"])
def test_headers_of_a_trusted_proxy_are_used(proxy: str) -> None:
    assert seen(proxy, **TOLD) == ("203.0.113.7", "https", "sessions.example", "/sessions")


@pytest.mark.parametrize("remote", ["203.0.113.9", "127.0.0.1", "192.0.2.2", "::1", ""])
def test_headers_of_other_clients_are_ignored(remote: str) -> None:
    assert seen(remote, **TOLD) == (remote, "http", "localhost", "")


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1, 203.0.113.7, 10.0.0.2,10.0.0.3", "203.0.113.7"),
        ("10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("203.0.113.7:4711, 10.0.0.2:80", "203.0.113.7"),
        ("[2003:db8::7]:4711", "2003:db8::7"),
        ("[2003:db8::7]", "2003:db8::7"),
        ("2003:db8::7", "2003:db8::7"),
        ("2003:db8::7, [2001:db8::2]:80", "2003:db8::7"),
        ('"203.0.113.7"', "203.0.113.7"),
        ('"[2003:db8::7]:4711"', "2003:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7,", "203.0.113.7"),
        ("203.0.113.7, , 10.0.0.2", "203.0.113.7"),
        ("", "10.0.0.1"),
        (" , ", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_trusted_proxy(told: str, client: str) -> None:
    """The addresses before it may come from the client itself."""
    assert seen("10.0.0.1", **{"X-Forwarded-For": told})[0] == client


@pytest.mark.parametrize(
    "told",
    [
        "unknown", "203.0.113.7, unknown", "203.0.113.7, nonsense, 10.0.0.2", "_hidden",
        "203.0.113.7:http", "203.0.113.7:1:2", "[203.0.113.7", "127.0.0.1 127.0.0.1",
    ],
)  # fmt: skip
def test_a_client_with_an_unreadable_address_is_not_the_proxy_nor_the_one_before(
    told: str,
) -> None:
    assert seen("10.0.0.1", **{"X-Forwarded-For": told})[0] == "unknown"


def statuses(client: FlaskClient, told: str | None, keys: Iterable[str]) -> list[int]:
    """The responses to a proxy's client with these keys."""
    by = {} if told is None else {"X-Forwarded-For": told}
    return [
        client.get(
            "/notte/sessions",
            headers={"Authorization": f"Bearer {key}", **by},
            environ_base={"REMOTE_ADDR": "10.0.0.1"},
        ).status_code
        for key in keys
    ]


def test_invalid_keys_are_counted_per_client_whatever_its_port(make_app: MakeApp) -> None:
    client = make_app(auth="strict", trusted_proxy=TRUSTED, max_failed_keys_per_minute=2).client
    assert statuses(client, "203.0.113.7:1", "ab") == [401, 401]
    assert statuses(client, "203.0.113.7:2", "c") == [429]
    assert statuses(client, "203.0.113.8:2", "c") == [401]


def test_clients_with_unreadable_addresses_share_one_count(make_app: MakeApp) -> None:
    client = make_app(auth="strict", trusted_proxy=TRUSTED, max_failed_keys_per_minute=2).client
    assert statuses(client, "unknown", "ab") == [401, 401]
    assert statuses(client, "_hidden", "c") == [429]
    assert statuses(client, "203.0.113.7", "c") == [401]
    assert statuses(client, None, "c") == [401]


@pytest.mark.parametrize("text", ["", "proxy", "10.0.0.1/8", "10.0.0.0/8,", "10.0.0.0/40"])
def test_a_trusted_proxy_that_is_not_an_address_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(
        BadSetting, match=r"trusted_proxy must (be addresses or networks|not be empty)"
    ):
        Settings(trusted_proxy=text)
