"""What every part of the control plane stands on: a blueprint that lets in and refuses alike."""

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, current_app, request
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response

from sessionary import clock
from sessionary.control import errors
from sessionary.control.access import refuse_web_pages
from sessionary.control.messages import Application
from sessionary.control.route_table import Addresses
from sessionary.control.validation.validator import Judge
from sessionary.identity import InvalidKey
from sessionary.store import (
    BadName,
    Namespace,
    NamespaceExists,
    Namespaces,
    NoSuchNamespace,
    TooManyNamespaces,
)
from sessionary.web.context import bearer, limit_failures, read_instant, settings
from sessionary.web.fields import Problem
from sessionary.web.operations import Invalid, answer
from sessionary.web.surface import Surface

PREFIX = "_control/v1"
_SALT = secrets.token_hex()  # so that no database keeps what the token could be guessed by
_STATUS = {BadName: 400, NoSuchNamespace: 404, NamespaceExists: 409, TooManyNamespaces: 409}


@dataclass(frozen=True)
class Control:
    """What the control plane acts on: the surfaces, and the namespaces where there are several.

    `application` answers behind the door, whose reading of a request's path is `path_of`.
    """

    surfaces: Sequence[Surface]
    addresses: Addresses
    judge: Judge
    namespace: Namespace
    namespaces: Namespaces | None
    application: Application
    path_of: Callable[[dict[str, Any]], str]

    def surface(self, name: str) -> Surface:
        """The surface of this name. Raises errors.Refusal."""
        for each in self.surfaces:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in self.surfaces)
        raise errors.Refusal(404, f"there is no surface {name!r}, only {names}")


class _Id(IntegerConverter):
    """The number of a row, `id` in a rule: no longer than those that SQLite can count to."""

    regex = r"\d{1,18}"


def control() -> Control:
    """The running application's."""
    return cast(Control, current_app.extensions["sessionary.control"])


def authenticate() -> None:
    """Raises InvalidKey unless the request brings the token, where one is asked for.

    Who guesses it is slowed down as who guesses keys is: raises rate_limits.RateLimited.
    """
    told, given = settings(), bearer()
    token = told.control_token
    if not token:
        return
    if not given:
        raise InvalidKey
    guard = limit_failures(_SALT + given, told.max_failed_keys_per_minute, request.environ)
    with control().namespace.activate(), guard:
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise InvalidKey


def now() -> int:
    """The instant of this request in the active namespace: as of another one, where it asks so."""
    return read_instant(clock.now())


def make_blueprint(name: str) -> Blueprint:
    """A part of the control plane."""
    routes = Blueprint(f"control_{name}", __name__)
    routes.record(lambda setup: setup.app.url_map.converters.update(id=_Id))
    routes.before_request(refuse_web_pages)
    routes.before_request(authenticate)
    routes.register_error_handler(errors.Refusal, _refused)
    routes.register_error_handler(Invalid, _invalid)
    for kind in _STATUS:
        routes.register_error_handler(kind, _misnamed)
    return routes


def problem(status: int, detail: str, found: Sequence[tuple[str, str]] = ()) -> Response:
    """A problem document as a response."""
    response = answer(errors.body(status, detail, found), status)
    response.content_type = errors.CONTENT_TYPE
    return response


def _refused(refusal: errors.Refusal) -> Response:
    return problem(refusal.status, refusal.detail)


def _invalid(invalid: Invalid) -> Response:
    places = [(_pointer(each), each.text) for each in invalid.problems]
    said = "; ".join(f"{place} {text}" for place, text in places)
    return problem(400, f"{request.method} {request.path}: {said}", places)


def _misnamed(error: Exception) -> Response:
    said = error.args[0] if error.args else str(error)
    return problem(_STATUS[type(error)], str(said))


def _pointer(problem: Problem) -> str:
    """`/to/session` in the body; a parameter or a header by its name."""
    if problem.where != "body":
        return ".".join(map(str, problem.path)) or problem.where
    return "".join(f"/{each}" for each in problem.path) or "/"
