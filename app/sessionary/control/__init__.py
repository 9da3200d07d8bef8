"""The control plane, `/_control/v1`: namespaces, their clocks, and what became of their
sessions."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from flask import Flask

from sessionary import store
from sessionary.control import clock, diff, errors, namespaces, sessions, timeline
from sessionary.control.access import check_double, check_server
from sessionary.control.blueprint import PREFIX, Control, authenticate
from sessionary.control.faults import blueprint as faults_blueprint
from sessionary.control.faults import matching
from sessionary.control.journal import blueprint as journal_blueprint
from sessionary.control.journal import models
from sessionary.control.journal.recorder import note_route
from sessionary.control.middleware import Gate
from sessionary.control.route_table import Addresses
from sessionary.control.schemas import Problem
from sessionary.control.validation import blueprint as validation_blueprint
from sessionary.control.validation.validator import Judge
from sessionary.store import Namespace, Namespaces
from sessionary.web.sdk import Sdk
from sessionary.web.surface import NO_SESSIONS, Surface

__all__ = [
    "TABLES",
    "Gate",
    "check_double",
    "check_server",
    "close_namespaces",
    "create_tables",
    "forget_calls",
    "install",
    "surface",
]

TABLES: tuple[type[store.Model], ...] = (matching.Fault, models.Call)
_problem = Problem()

surface = Surface(
    sdk=Sdk(PREFIX, (), lambda _: {}),
    title="Sessionary's control plane",
    blueprints=(
        namespaces.routes,
        clock.routes,
        timeline.routes,
        sessions.routes,
        diff.routes,
        faults_blueprint.routes,
        journal_blueprint.routes,
        validation_blueprint.routes,
    ),
    root_blueprints=(),
    root_segments=frozenset(),
    tables=TABLES,
    example="{url}/_control/v1/clock",
    authenticate=authenticate,
    sessions=NO_SESSIONS,
    error_body=errors.body,
    error_schemas=dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 429, 500, 503), _problem),
    error_content_type=errors.CONTENT_TYPE,
)


def create_tables() -> None:
    """Make what the control plane keeps in the active namespace, unless it is there."""
    store.create_tables(TABLES)


def forget_calls() -> None:
    """Empty the active namespace's journal."""
    models.clear()


def install(
    app: Flask,
    surfaces: Sequence[Surface],
    namespace: Namespace,
    namespaces: Namespaces | None,
    path_of: Callable[[dict[str, Any]], str],
) -> None:
    """Let an application's control plane act on these surfaces and namespaces.

    The application has no door yet; `path_of` is how one reads the path of a request.
    """
    app.before_request(note_route)
    addresses = Addresses(app, surfaces)
    app.extensions["sessionary.control"] = Control(
        surfaces, addresses, Judge(addresses), namespace, namespaces, app.wsgi_app, path_of
    )


def close_namespaces(app: Flask) -> None:
    """Close every namespace of a double's application, for good: a file of one is then whole."""
    namespaces = cast(Control, app.extensions["sessionary.control"]).namespaces
    if namespaces is not None:
        namespaces.close()
