"""Access without a token: loopback clients only, never browser origins.

A web page can make a browser on the same machine send requests to the double.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import request

from sessionary.control.errors import ApiError
from sessionary.settings import BadSetting, Settings
from sessionary.web.context import settings

_TOKEN = "SESSIONARY_CONTROL_TOKEN"  # noqa: S105 - the variable's name
_INSTEAD = f"call http://127.0.0.1 from a program, or set {_TOKEN} and send the token"
_PORT = re.compile(r":[0-9]+\Z")
# Names with these endings, or without a dot, cannot be registered (RFC 6761).
_RESERVED = (".localhost", ".test", ".invalid")


def check_server(settings: Settings) -> None:
    """Raise BadSetting for a server with a control plane and without a token."""
    if settings.control and not settings.control_token:
        raise BadSetting(f"control needs a token: set {_TOKEN} to a secret that its clients send")


def check_double(settings: Settings) -> None:
    """Raise BadSetting for a double without a token that other machines can reach."""
    if settings.control and not settings.control_token and not _is_loopback(settings.host):
        raise BadSetting(
            f"host {settings.host} is reachable from other machines, so control needs a token: "
            f"set {_TOKEN}, or listen on 127.0.0.1"
        )


def ensure_not_from_web_page() -> None:
    """Raise ApiError for a request of a web page, unless the control plane has a token."""
    if settings().control_token:
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ApiError(403, f"requests from the web page {origin} are refused: {_INSTEAD}")
    if _is_registrable(request.host):
        raise ApiError(403, f"the host name {request.host} is refused: {_INSTEAD}")


def _is_loopback(host: str) -> bool:
    address = _parse_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_registrable(host: str) -> bool:
    """Whether a Host header has a name that a site could own (DNS rebinding)."""
    name = _PORT.sub("", host).lower().rstrip(".")
    is_address = _parse_address(name.strip("[]")) is not None
    return "." in name and not name.endswith(_RESERVED) and not is_address


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
