"""The `/server` resource: readiness, database, devices and keys of a server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import request
from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import __version__, clock, identity, store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.fields import response_schema
from sessionary.store import Namespace, TooLarge
from sessionary.web.context import settings
from sessionary.web.fields import OneOf, Text
from sessionary.web.held import LOAD
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, operation
from sessionary.web.responses import items, nested

_INSTANTS = ("created_at", "expires_at", "revoked_at")
routes = make_blueprint("server")
# `problem` says why a write would fail now.
DatabaseResponse = response_schema(
    "DatabaseResponse",
    text="file",
    integer="size_bytes schema_version",
    boolean="ready",
    text_or_null="problem",
)
KeyResponse = response_schema(
    "KeyResponse",
    text="id user created_at",
    text_or_null="surface organization expires_at revoked_at",
    state=Text(required=True, validate=OneOf(identity.KEY_STATES)),
)
ServerResponse = response_schema(
    "ServerResponse",
    text="version",
    boolean="readonly",
    database=nested(DatabaseResponse),
    devices=fields.List(fields.Dict(), required=True),
    keys=items(KeyResponse),
)


@routes.get("/server")
@operation("Get the state of a server", answers={200: ServerResponse()})
def show() -> Response:
    """Show no secret: keys are stored hashed, and the hash is left out."""
    if control().namespaces is not None:
        raise ApiError(409, "this is a double: GET namespaces?detail=true says what it holds")
    if LOAD not in request.environ:  # the check waits for a lock and for the disk
        raise TooLarge
    at = clock.now()
    return answer(
        {
            "version": __version__,
            "readonly": settings().control_readonly,
            "database": _database(store.current_namespace()),
            "devices": list(_devices()),
            "keys": [_key_to_json(key, at) for key in identity.list_keys()],
        }
    )


def _devices() -> Iterator[dict[str, Any]]:
    for surface in control().surfaces:
        if surface.devices is not None:
            for row in surface.devices.list_devices():
                known = {name: value for name, value in row._asdict().items() if name[:3] != "is_"}
                yield {"surface": surface.name, **known, "state": surface.devices.state(row)}


def _database(namespace: Namespace) -> dict[str, Any]:
    problem = None
    try:
        store.check_writable(namespace)
    except Exception as error:
        if not store.is_unavailable(error):
            raise
        problem = str(error)
    return {
        "file": Path(str(namespace.database.database)).name,
        "size_bytes": store.size_bytes(namespace),
        "schema_version": namespace.schema_version,
        "ready": problem is None,
        "problem": problem,
    }


def _key_to_json(key: identity.KeyRow, at: int) -> dict[str, Any]:
    instants = {name: getattr(key, name) for name in _INSTANTS}
    return {
        **{name: getattr(key, name) for name in ("id", "surface", "user", "organization")},
        **{name: None if value is None else to_text(value) for name, value in instants.items()},
        "state": key.state(at),
    }
