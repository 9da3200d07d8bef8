"""To whom the control plane is open where it asks for no token: to this machine, not to web pages.

A page of any site can make the browser beside a double send requests to it.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import request

from sessionary.control import errors
from sessionary.settings import BadSetting, Settings
from sessionary.web.context import settings

_TOKEN = "SESSIONARY_CONTROL_TOKEN"  # noqa: S105 - its name
_INSTEAD = f"call it at http://127.0.0.1, from no web page, or set {_TOKEN} and send it"
_PORT = re.compile(r":[0-9]+\Z")
# What ends in these, or has no dot, is no site's name (RFC 6761): none can be made to lead here.
_RESERVED = (".localhost", ".test", ".invalid")


def check_server(settings: Settings) -> None:
    """A server asks for a token. Raises BadSetting."""
    if settings.control and not settings.control_token:
        raise BadSetting(f"control needs a token: set {_TOKEN}, a secret that its callers send")


def check_double(settings: Settings) -> None:
    """A double asks for a token where others can reach it. Raises BadSetting."""
    if settings.control and not settings.control_token and not _is_loopback(settings.host):
        raise BadSetting(
            f"host {settings.host} lets other machines in, for which control needs a token: "
            f"set {_TOKEN}, or listen on 127.0.0.1"
        )


def refuse_web_pages() -> None:
    """Without a token, refuse what a page of some site sent. Raises errors.Refusal."""
    if settings().control_token:
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise errors.Refusal(403, f"a page of {origin} may not do this: {_INSTEAD}")
    if _is_a_sites(request.host):
        raise errors.Refusal(403, f"{request.host} may be anybody's name: {_INSTEAD}")


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def _is_a_sites(host: str) -> bool:
    """Whether this Host header has a name that somebody could have registered."""
    name = _PORT.sub("", host).lower().rstrip(".")
    return "." in name and not name.endswith(_RESERVED) and _address(name.strip("[]")) is None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
