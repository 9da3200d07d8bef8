"""WSGI middleware that takes the client's address from trusted proxies."""

import re
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from sessionary.identity.rate_limits import UNKNOWN

Network = IPv4Network | IPv6Network
# `[2001:db8::7]:4711` or `203.0.113.7:4711`, the port being optional.
_HOST = re.compile(r"(?:\[(.*)\]|([^:]*))(?::[0-9]+)?")


class TrustedProxyMiddleware:
    """Uses the `X-Forwarded-` headers of trusted proxies and ignores all others.

    Each proxy appends an address: the client's is the last one that is not a trusted proxy's.
    An unreadable address becomes `unknown`; all such clients share one rate limit.
    """

    def __init__(
        self, application: Callable[..., Iterable[bytes]], trusted: Collection[Network]
    ) -> None:
        self._application = application
        self._proxy_fix = ProxyFix(application, x_for=0, x_proto=1, x_host=1, x_prefix=1)
        self._trusted = trusted
        self._is_trusted = lru_cache(maxsize=1024)(self._is_in_networks)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._is_trusted(environ.get("REMOTE_ADDR", "")):
            return self._application(environ, start_response)
        for forwarded in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            if not forwarded.strip():
                continue
            environ["REMOTE_ADDR"] = client = _normalize(forwarded.strip())
            if not self._is_trusted(client):
                break
        return self._proxy_fix(environ, start_response)

    def _is_in_networks(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _normalize(text: str) -> str:
    """An address without the port, brackets or quotes that some proxies add."""
    bare = text.strip('"')
    host = _HOST.fullmatch(bare)
    address = _address((host[1] or host[2]) if host else bare)
    return UNKNOWN if address is None else str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
