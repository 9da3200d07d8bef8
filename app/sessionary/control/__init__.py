"""The control plane, `/_control/v1`: worlds, their clocks, and what became of their sessions."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from flask import Flask

from sessionary import store
from sessionary.control import (
    arming,
    calls,
    clock,
    diff,
    errors,
    faults,
    journal,
    namespaces,
    requests,
    sessions,
    timeline,
)
from sessionary.control.addresses import Addresses
from sessionary.control.explaining import Judge
from sessionary.control.gate import Gate
from sessionary.control.openness import check_double, check_server
from sessionary.control.recording import note_route
from sessionary.control.routes import PREFIX, Control, authenticate
from sessionary.control.schemas import Problem
from sessionary.store import Namespaces, World
from sessionary.wire.surface import Surface
from sessionary.wire.telling import NO_SESSIONS

__all__ = [
    "TABLES",
    "Gate",
    "check_double",
    "check_server",
    "close_worlds",
    "create_tables",
    "forget_calls",
    "install",
    "surface",
]

TABLES: tuple[type[store.Model], ...] = (faults.Fault, journal.Call)
_problem = Problem()

surface = Surface(
    name=PREFIX,
    title="Sessionary's control plane",
    blueprints=(
        namespaces.routes,
        clock.routes,
        timeline.routes,
        sessions.routes,
        diff.routes,
        arming.routes,
        calls.routes,
        requests.routes,
    ),
    root_blueprints=(),
    root_segments=frozenset(),
    tables=TABLES,
    key_prefix="",
    example="{url}/_control/v1/clock",
    authenticate=authenticate,
    sessions=NO_SESSIONS,
    refuse=errors.body,
    refusals=dict.fromkeys((400, 401, 403, 404, 405, 409, 413, 429, 500, 503), _problem),
    refusal_type=errors.CONTENT_TYPE,
)


def create_tables() -> None:
    """Make what the control plane keeps in the entered world, unless it is there."""
    store.add(TABLES)


def forget_calls() -> None:
    """Empty the entered world's journal."""
    journal.clear()


def install(
    app: Flask,
    surfaces: Sequence[Surface],
    world: World,
    worlds: Namespaces | None,
    path_of: Callable[[dict[str, Any]], str],
) -> None:
    """Let an application's control plane act on these surfaces and worlds.

    The application has no door yet; `path_of` is how one reads the path of a request.
    """
    app.before_request(note_route)
    addresses = Addresses(app, surfaces)
    app.extensions["sessionary.control"] = Control(
        surfaces, addresses, Judge(addresses), world, worlds, app.wsgi_app, path_of
    )


def close_worlds(app: Flask) -> None:
    """Close every world of a double's application, for good: a file of one is then whole."""
    worlds = cast(Control, app.extensions["sessionary.control"]).worlds
    if worlds is not None:
        worlds.close()
