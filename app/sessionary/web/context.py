"""What every view may ask of the request at hand."""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, cast

from flask import current_app, request

from sessionary import clock
from sessionary.identity import Caller, InvalidKey, authenticate_key, rate_limits
from sessionary.settings import Settings
from sessionary.web.as_of import as_of

CALLER = "sessionary.caller"  # where a request's environment says who asks, once that is known
_UNGUARDED = nullcontext()
_asked: ContextVar[tuple[Caller, int]] = ContextVar("sessionary_asked")


def settings() -> Settings:
    """The installation's settings."""
    return cast(Settings, current_app.config["SESSIONARY"])


def caller() -> Caller:
    """Who is asking, once `authenticate` has let them in."""
    return _asked.get()[0]


def now() -> int:
    """The instant of this request, for reads. A write takes the one of its transaction."""
    return _asked.get()[1]


def bearer() -> str:
    """The token after `Authorization: Bearer`, or an empty string."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticate(surface: str, secret: str, *, well_formed: bool) -> None:
    """Establish `caller()` and `now()`.

    Raises InvalidKey for an unknown credential, rate_limits.RateLimited for one used too often
    and
    for an address that has brought too many that nobody has.

    In lenient mode any well-formed secret is somebody's. A read may ask as of another instant:
    who asks is judged by the clock all the same.
    """
    if not secret:
        raise InvalidKey
    told, environ = settings(), request.environ
    derive = told.auth == "lenient" and well_formed
    with guarded(secret, told.max_failed_keys_per_minute, environ):
        found, at = authenticate_key(secret, surface, derive=derive)
    environ[CALLER] = found
    if told.rate_limit:
        rate_limits.consume(found.key_hash, told.rate_limit)
    _asked.set((found, _seen(at, environ)))


def guarded(secret: str, per_minute: int, environ: dict[str, Any]) -> AbstractContextManager[None]:
    """Limit how often an address fails with InvalidKey. Raises rate_limits.RateLimited."""
    address = per_minute and rate_limits.counted_address(environ.get("REMOTE_ADDR", ""))
    return rate_limits.limit_failures(address, secret, per_minute) if address else _UNGUARDED


def look(at: int) -> int:
    """The instant that a read at this one is answered for: the same, unless it asks otherwise."""
    return _seen(at, request.environ)


def _seen(at: int, environ: dict[str, Any]) -> int:
    asked = environ.get("HTTP_SESSIONARY_AT")
    seen = at if asked is None else as_of(asked, at)
    clock.last_read_at.set(seen)
    return seen
