"""The base of every control-plane blueprint: token authentication and error handlers."""

import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from flask import Blueprint, current_app, request
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.control.errors import CONTENT_TYPE, ApiError, error_body
from sessionary.control.messages import Application
from sessionary.control.validation.validator import RequestValidator
from sessionary.identity import InvalidKey
from sessionary.seeds.loader import BadSeed
from sessionary.store import Namespace, Namespaces
from sessionary.web.as_of import HEADER
from sessionary.web.context import bearer, limit_failures, read_instant, settings
from sessionary.web.fields import Problem
from sessionary.web.held import READS
from sessionary.web.operations import Invalid, Operation, answer
from sessionary.web.route_table import RouteTable
from sessionary.web.surface import NotForced, Surface

PREFIX = "_control/v1"
CONTROL_PATH = f"/{PREFIX}/"
NAMESPACES_PATH = f"{CONTROL_PATH}namespaces"
RESTORE_LINE = re.compile(rf"POST {NAMESPACES_PATH}/[^/? ]+/restore[? ]".encode())
_SALT = secrets.token_hex()  # so that the token cannot be guessed from a hash in a database
_STATUS = {
    clock.BadClock: 400,
    BadSeed: 400,
    store.BadName: 400,
    store.NoSuchNamespace: 404,
    store.NamespaceClosed: 409,
    store.NamespaceExists: 409,
    store.TooManyNamespaces: 409,
    NotForced: 409,
}


@dataclass(frozen=True)
class Control:
    """What the control plane of an application works on.

    `namespaces` is None on a server. `application` handles requests below the namespace
    middleware; `path_of` returns the path that this middleware gives to a request.
    """

    surfaces: Sequence[Surface]
    routes: RouteTable
    validator: RequestValidator
    namespace: Namespace
    namespaces: Namespaces | None
    application: Application
    path_of: Callable[[dict[str, Any]], str]

    def surface(self, name: str, status: int = 404) -> Surface:
        """Return the surface of this name. Raises ApiError."""
        for each in self.surfaces:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in self.surfaces)
        raise ApiError(status, f"unknown surface {name!r}: must be one of {names}")


class _Id(IntegerConverter):
    """The id of a row in a path; 18 digits fit SQLite's integers."""

    regex = r"\d{1,18}"


def control() -> Control:
    """Return the running application's Control."""
    return cast(Control, current_app.extensions["sessionary.control"])


def authenticate() -> None:
    """Raise InvalidKey unless the request has the token, if one is set.

    Failures are limited per address, as those of keys are: raises rate_limits.RateLimited.
    """
    token, given = settings().control_token, bearer()
    if not token:
        return
    if not given:
        raise InvalidKey
    limit = limit_failures(_SALT + given, settings().max_failed_keys_per_minute, request.environ)
    with control().namespace.activate(), limit:
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise InvalidKey


def now() -> int:
    """Return the instant that this request reads at, `Sessionary-At` included."""
    return read_instant(clock.now())


def make_blueprint(name: str) -> Blueprint:
    """Create a blueprint of the control plane."""
    routes = Blueprint(f"control_{name}", __name__)
    routes.record(lambda setup: setup.app.url_map.converters.update(id=_Id))
    routes.before_request(authenticate)
    routes.before_request(_check_may_change)
    routes.before_request(_check_has_instants)
    routes.register_error_handler(ApiError, lambda error: _problem(error.status, error.detail))
    routes.register_error_handler(Invalid, _handle_invalid)
    for kind in _STATUS:
        routes.register_error_handler(kind, _handle_error_with_status)
    return routes


def _check_may_change() -> None:
    """Raise ApiError for what may change something, where only reads are served."""
    if settings().control_readonly and request.method not in READS:
        raise ApiError(403, "this control plane serves reads only: --control-readonly is set")


def _check_has_instants() -> None:
    """Raise Invalid for an instant where it has no meaning: it is never ignored."""
    view = current_app.view_functions[request.endpoint or ""]
    if HEADER in request.headers and not (isinstance(view, Operation) and view.has_instants):
        text = "has no meaning here: sessions, lanes, timeline, diff and journal can have it"
        raise Invalid([Problem("value", text, (HEADER,), "header")])


def _problem(status: int, detail: str, places: Sequence[tuple[str, str]] = ()) -> Response:
    response = answer(error_body(status, detail, places), status)
    response.content_type = CONTENT_TYPE
    return response


def _handle_invalid(invalid: Invalid) -> Response:
    places = [(each.pointer, each.text) for each in invalid.problems]
    text = "; ".join(f"{place} {detail}" for place, detail in places)
    return _problem(400, f"{request.method} {request.path}: {text}", places)


def _handle_error_with_status(error: Exception) -> Response:
    return _problem(_STATUS[type(error)], str(error.args[0] if error.args else error))
