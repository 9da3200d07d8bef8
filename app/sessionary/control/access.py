"""Access to a double on a loopback address: programs of this machine, but no web pages.

A web page can make a browser on the same machine send requests to the double.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from sessionary.control.blueprint import CONTROL_PATH
from sessionary.settings import BadSetting, Settings

IN_PROCESS = "sessionary.in_process"  # environ key: no browser can have sent the request
_TOKEN = "SESSIONARY_CONTROL_TOKEN"  # noqa: S105 - the variable's name
_LOOPBACK_URL = "call http://127.0.0.1 from a program"
_OR_TOKEN = f", or set {_TOKEN} and send the token"
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?")
_PORT = re.compile(r":[0-9]+\Z")
_CONTROL = re.compile(rf"(/~[^/]*)?{CONTROL_PATH}")
# Names with these endings, or without a dot, cannot be registered (RFC 6761).
_RESERVED = (".localhost", ".test", ".invalid")


def check_server(settings: Settings) -> None:
    """Raise BadSetting for a server with a control plane and without a token."""
    if settings.control and not settings.control_token:
        raise BadSetting(f"control needs a token: set {_TOKEN} to a secret that its clients send")


def check_double(settings: Settings) -> None:
    """Raise BadSetting for a double without a token that other machines can reach."""
    if settings.control and not settings.control_token and not is_loopback(settings.host):
        raise BadSetting(
            f"host {settings.host} is reachable from other machines, so control needs a token: "
            f"set {_TOKEN}, or listen on 127.0.0.1"
        )


def cors_origins(settings: Settings) -> frozenset[str]:
    """The origins that the setting names. Raises BadSetting."""
    names = (settings.cors_origins or "").lower().split(",")
    origins = frozenset(filter(None, map(str.strip, names)))
    for each in origins:
        if not _ORIGIN.fullmatch(each):
            raise BadSetting(
                f"cors_origins must be origins such as http://localhost:5173, not {each!r}"
            )
    return origins


def is_control_path(path: str) -> bool:
    """Whether a path is the control plane's, with or without a namespace before it."""
    return _CONTROL.match(path) is not None


class WebPageGuard:
    """Finds the requests that web pages cause; a control plane with a token has its own guard."""

    def __init__(self, settings: Settings) -> None:
        self._has_token = bool(settings.control_token)
        names = (settings.allowed_hosts or "").lower().split(",")
        allowed = {name.strip() for name in names}
        self._origins = cors_origins(settings)

        @lru_cache(maxsize=1024)
        def is_refused(host: str) -> bool:
            return _is_registrable(host) and _name_of(host) not in allowed

        self._is_refused = is_refused

    def refusal(self, environ: Mapping[str, Any]) -> str | None:
        """Why the request is refused; None if it is not."""
        origin, host = environ.get("HTTP_ORIGIN"), environ.get("HTTP_HOST", "")
        is_control = is_control_path(environ["PATH_INFO"])
        is_named = origin in self._origins and not is_control
        is_foreign = origin is not None and origin.partition("://")[2] != host and not is_named
        if _is_embedded(environ) and not is_named:
            is_foreign, origin = True, origin or environ.get("HTTP_REFERER", "of another site")
        if not is_foreign and not self._is_refused(host):
            return None
        if self._has_token if is_control else IN_PROCESS in environ:
            return None
        instead = _LOOPBACK_URL + (_OR_TOKEN if is_control else "")
        if is_foreign and not is_control and _ORIGIN.fullmatch(origin or ""):
            instead += f", or allow it: SESSIONARY_CORS_ORIGINS={origin}"
        if is_foreign:
            return f"requests from the web page {origin} are refused: {instead}"
        allow = f", or allow it: SESSIONARY_ALLOWED_HOSTS={_name_of(host)}"
        return f"the host name {host} is refused: {instead}{allow}"


def _is_embedded(environ: Mapping[str, Any]) -> bool:
    """Whether a page of another site loads this as a part, such as an image: without an Origin."""
    is_foreign = environ.get("HTTP_SEC_FETCH_SITE") == "cross-site"
    return is_foreign and environ.get("HTTP_SEC_FETCH_DEST") != "document"  # a link is followed


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach this address."""
    address = _parse_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    return _PORT.sub("", host).lower().rstrip(".")


def _is_registrable(host: str) -> bool:
    """Whether a Host header has a name that a site could own (DNS rebinding)."""
    name = _name_of(host)
    is_address = _parse_address(name.strip("[]")) is not None
    return "." in name and not name.endswith(_RESERVED) and not is_address


def _parse_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
