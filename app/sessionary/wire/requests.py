"""What every view may ask of the request at hand."""

from contextvars import ContextVar
from typing import cast

from flask import current_app, request

from sessionary.identity import Caller, Unknown, identify
from sessionary.settings import Settings

_asked: ContextVar[tuple[Caller, int]] = ContextVar("sessionary_asked")


def settings() -> Settings:
    """The installation's settings."""
    return cast(Settings, current_app.config["SESSIONARY"])


def caller() -> Caller:
    """Who is asking, once `admit` has let them in."""
    return _asked.get()[0]


def now() -> int:
    """The instant of this request, for reads. A write takes the one of its transaction."""
    return _asked.get()[1]


def bearer() -> str:
    """The token after `Authorization: Bearer`, or an empty string."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def admit(surface: str, secret: str, *, well_formed: bool) -> None:
    """Establish `caller()` and `now()`. Raises Unknown for a credential that nobody has.

    In lenient mode any well-formed secret is somebody's.
    """
    if not secret:
        raise Unknown
    lenient = settings().auth == "lenient" and well_formed
    _asked.set(identify(secret, surface, derive=lenient))
