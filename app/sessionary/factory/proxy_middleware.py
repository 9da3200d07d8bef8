"""Who asks, and under which address, when it is a proxy that connects."""

import re
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from sessionary.identity.rate_limits import UNKNOWN

Network = IPv4Network | IPv6Network
# `[2001:db8::7]:4711`, `203.0.113.7:4711` or without the port; no IPv6 address without brackets.
_HOST = re.compile(r"(?:\[(.*)\]|([^:]*))(?::[0-9]+)?")


class TrustedProxyMiddleware:
    """Believes the `X-Forwarded-` headers of trusted proxies; those of others are not looked at.

    Each proxy adds at the right what it knows: of several addresses the client's is the last that
    is not a trusted proxy's own. One that cannot be read becomes `unknown`: all who have none are
    counted together, and neither the proxy nor whoever is named before them is taken for them.
    """

    def __init__(
        self, application: Callable[..., Iterable[bytes]], trusted: Collection[Network]
    ) -> None:
        self._application = application
        self._told = ProxyFix(application, x_for=0, x_proto=1, x_host=1, x_prefix=1)
        self._trusted = trusted
        self._is_trusted = lru_cache(maxsize=1024)(self._is_one)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._is_trusted(environ.get("REMOTE_ADDR", "")):
            return self._application(environ, start_response)
        for told in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            if not told.strip():
                continue
            environ["REMOTE_ADDR"] = client = _told(told.strip())
            if not self._is_trusted(client):
                break
        return self._told(environ, start_response)

    def _is_one(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _told(text: str) -> str:
    """The address that a proxy tells, as some do with a port, in brackets or in quotes."""
    bare = text.strip('"')
    found = _HOST.fullmatch(bare)
    address = _address((found[1] or found[2]) if found else bare)
    return UNKNOWN if address is None else str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
