"""The request context: settings, caller, instant and authentication."""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, cast

from flask import current_app, request

from sessionary import clock
from sessionary.identity import Caller, InvalidKey, authenticate_key, rate_limits
from sessionary.settings import Settings
from sessionary.web.as_of import as_of
from sessionary.web.held import LOAD

CALLER = "sessionary.caller"  # the key of the authenticated Caller in a request's environment
_NO_LIMIT = nullcontext()
_context: ContextVar[tuple[Caller, int]] = ContextVar("sessionary_context")


def settings() -> Settings:
    """The settings of the application."""
    return cast(Settings, current_app.config["SESSIONARY"])


def caller() -> Caller:
    """The caller that `authenticate` found."""
    return _context.get()[0]


def now() -> int:
    """The instant of this request, for reads. A write uses the instant of its transaction."""
    return _context.get()[1]


def bearer() -> str:
    """The token after `Authorization: Bearer`, or an empty string."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticate(surface: str, secret: str, *, well_formed: bool) -> None:
    """Set `caller()` and `now()` from a credential.

    In lenient mode every well-formed secret is valid. Keys expire by the clock, not by
    `Sessionary-At`. Raises InvalidKey, and RateLimited for a key with too many requests
    or an address with too many invalid keys.
    """
    if not secret:
        raise InvalidKey
    chosen, environ = settings(), request.environ
    derive = chosen.auth == "lenient" and well_formed
    with limit_failures(secret, chosen.max_failed_keys_per_minute, environ):
        found, at = authenticate_key(secret, surface, derive=derive)
    environ[CALLER] = found
    if chosen.rate_limit and LOAD not in environ:  # a call that is made again counts once
        rate_limits.consume(found.key_hash, chosen.rate_limit)
    _context.set((found, _as_of(at, environ)))


def limit_failures(
    secret: str, per_minute: int, environ: dict[str, Any]
) -> AbstractContextManager[None]:
    """Count InvalidKey in this block against the client's address. Raises RateLimited."""
    address = per_minute and rate_limits.counted_address(environ.get("REMOTE_ADDR", ""))
    return rate_limits.limit_failures(address, secret, per_minute) if address else _NO_LIMIT


def read_instant(at: int) -> int:
    """The instant of a read that needs no key: `at`, or the one of `Sessionary-At`."""
    return _as_of(at, request.environ)


def _as_of(at: int, environ: dict[str, Any]) -> int:
    header = environ.get("HTTP_SESSIONARY_AT")
    instant = at if header is None else as_of(header, at)
    clock.last_read_at.set(instant)
    return instant
