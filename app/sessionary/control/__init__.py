"""The control plane, `/_control/v1`: namespaces, clocks, sessions, faults and the journal."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

from flask import Flask

from sessionary import store
from sessionary.control import (
    clock,
    counters,
    diff,
    errors,
    lanes,
    namespaces,
    recording,
    runs,
    server,
    sessions,
    surfaces,
    timeline,
)
from sessionary.control.access import check_double, check_server
from sessionary.control.blueprint import PREFIX, Control, authenticate
from sessionary.control.copied_tests import routes as copied_tests_routes
from sessionary.control.faults import blueprint as faults_blueprint
from sessionary.control.faults import matching
from sessionary.control.faults.matching import Fault
from sessionary.control.journal import blueprint as journal_blueprint
from sessionary.control.journal import models
from sessionary.control.journal.models import Call
from sessionary.control.journal.models import clear as clear_journal
from sessionary.control.middleware import ControlMiddleware
from sessionary.control.request_ids import RequestSequence
from sessionary.control.validation import blueprint as validation_blueprint
from sessionary.control.validation.validator import RequestValidator
from sessionary.settings import BadSetting, Settings
from sessionary.store import DEFAULT, Namespace, Namespaces
from sessionary.web.route_table import RouteTable
from sessionary.web.sdk import Sdk
from sessionary.web.surface import NO_SESSIONS, Surface

__all__ = [
    "TABLES",
    "ControlMiddleware",
    "check_double",
    "check_server",
    "clear_journal",
    "close_namespaces",
    "ensure_namespace",
    "install",
    "prepare_recording",
    "record_default",
    "surface",
]

TABLES: tuple[type[store.Model], ...] = (Fault, Call, RequestSequence)
_problem = errors.ProblemResponse()


def _migrate_to_version_3(database: store.Database) -> None:
    """Migrate the tables of faults and of the journal, if a database has them."""
    for table, add_columns in ((Fault, matching.add_phase), (Call, models.add_fault_phase)):
        if table.table_exists():  # type: ignore[no-untyped-call]
            add_columns(database)


surface = Surface(
    sdk=Sdk(PREFIX, (), lambda _: {}),
    title="Sessionary's control plane",
    blueprints=(
        namespaces.routes,
        clock.routes,
        timeline.routes,
        sessions.routes,
        copied_tests_routes,
        lanes.routes,
        surfaces.routes,
        counters.routes,
        server.routes,
        diff.routes,
        faults_blueprint.routes,
        journal_blueprint.routes,
        runs.routes,
        validation_blueprint.routes,
    ),
    root_blueprints=(),
    root_segments=frozenset(),
    tables=TABLES,
    example="{url}/_control/v1/clock",
    authenticate=authenticate,
    sessions=NO_SESSIONS,
    error_body=errors.error_body,
    error_schemas=dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 429, 500, 503), _problem),
    error_content_type=errors.CONTENT_TYPE,
    migrations={3: _migrate_to_version_3},
    earlier_sql={3: {**matching.EARLIER_SQL[3], **models.EARLIER_SQL[3]}},
)


def install(
    app: Flask,
    surfaces: Sequence[Surface],
    routes: RouteTable,
    namespace: Namespace,
    namespaces: Namespaces | None,
    path_of: Callable[[dict[str, Any]], str],
) -> None:
    """Register the control plane for these surfaces and namespaces.

    Called before the namespace middleware is added; `path_of` returns the path that it gives to
    a request.
    """
    validator = RequestValidator(routes, surfaces)
    app.extensions["sessionary.control"] = Control(
        surfaces, routes, validator, namespace, namespaces, app.wsgi_app, path_of
    )


def prepare_recording(settings: Settings) -> tuple[Settings, IO[bytes] | None]:
    """The settings of a double, and the open file of the run that they ask for. Raises BadSetting.

    The ids of a recorded double have a seed, so that its run can be repeated.
    """
    if settings.record is None:
        return settings, None
    if settings.record == "-":
        raise BadSetting("record must name a file, not standard output")
    if settings.db != ":memory:":
        raise BadSetting("record must go with db :memory:, as a run begins with no rows")
    file = recording.open_file(Path(settings.record))
    return replace(settings, ids_seed=settings.ids_seed or recording.random_seed()), file


def record_default(
    namespaces: Namespaces, settings: Settings, surfaces: Sequence[Surface], file: IO[bytes]
) -> None:
    """Begin to record the default namespace of a double into a file."""
    namespace = namespaces.find(DEFAULT)
    with namespace.activate():
        recording.begin(recording.Recording(file), settings, surfaces)


def ensure_namespace(app: Flask, name: str) -> None:
    """Create this namespace of a double unless it exists. Raises store.TooManyNamespaces."""
    namespaces = _namespaces(app)
    if namespaces is not None:
        namespaces.get(name)


def close_namespaces(app: Flask) -> None:
    """Close all namespaces of a double, which completes its database file if it has one."""
    namespaces = _namespaces(app)
    if namespaces is not None:
        namespaces.close()


def _namespaces(app: Flask) -> Namespaces | None:
    return cast(Control, app.extensions["sessionary.control"]).namespaces
