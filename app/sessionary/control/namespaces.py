"""The `/namespaces` resource: create, list, reset, fork, snapshot, restore, seed and drop."""

import tomllib
from contextlib import nullcontext
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any

from flask import request
from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, ids, store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.clock import ClockResponse, clock_to_json
from sessionary.control.errors import ApiError
from sessionary.control.faults.blueprint import insert_faults
from sessionary.control.faults.schemas import FaultRequest, fault_row
from sessionary.control.fields import Instant, StrictSchema, response_schema
from sessionary.control.namespace_details import list_details
from sessionary.control.recording import Recording, begin, note, note_restore, random_seed
from sessionary.seeds import loader
from sessionary.store import DEFAULT, Namespace, Namespaces, Origin
from sessionary.web.context import settings
from sessionary.web.fields import Boolean, Bounds, List, Object, QueryBoolean, QueryInteger, Text
from sessionary.web.instants import to_text
from sessionary.web.operations import answer, answer_body, operation, read_object
from sessionary.web.spool import Spool

SQLITE = "application/vnd.sqlite3"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
routes = make_blueprint("namespaces")


class ForkRequest(StrictSchema):
    """The name of the new namespace (default: generated)."""

    name = Text(load_default=None)


class Seed(Object):
    """A seed as an object, or as TOML text; loaded as a Document."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, str):
            return _parse_toml(value)
        return loader.Document("the seed", "", super()._deserialize(value, *args, **kwargs))


class NamespaceRequest(ForkRequest):
    """The name, the time of a frozen clock, the seeds of ids and of rows, and armed faults."""

    now = Instant(load_default=None)
    ids = Text(load_default=None)
    seed = Seed(load_default=None)
    faults = List(fields.Nested(FaultRequest), load_default=list)
    record = Boolean(load_default=False)


NamespaceResponse = response_schema(
    "NamespaceResponse", text="name", clock=fields.Nested(ClockResponse, required=True)
)
# `namespaces` are names, or with `detail` each a NamespaceDetail.
NamespaceList = response_schema(
    "NamespaceList",
    integer="max_namespaces",
    namespaces=fields.List(fields.Raw(), required=True),
    next=fields.String(allow_none=True),
)


class NamespacesQuery(StrictSchema):
    """A text in the name; whether to list details: then, the name to start after, and how many."""

    q = Text(load_default="")
    detail = QueryBoolean(load_default=False)
    after = Text(load_default=None)
    limit = QueryInteger(load_default=100, validate=Bounds(1, 1000))


SeedResponse = response_schema("SeedResponse", integer="row_count")
_answers = {200: NamespaceResponse()}


@routes.get("/namespaces")
@operation("List namespaces", query=NamespacesQuery(), answers={200: NamespaceList()})
def list_namespaces(query: dict[str, Any]) -> Response:
    namespaces = control().namespaces
    names = [DEFAULT] if namespaces is None else namespaces.names()
    names = [name for name in names if query["q"] in name]
    maximum = 1 if namespaces is None else namespaces.maximum
    if not query["detail"]:
        return answer({"namespaces": names, "max_namespaces": maximum})
    details, following = list_details(names, _find, query["after"], query["limit"])
    return answer({"namespaces": details, "max_namespaces": maximum, "next": following})


@routes.post("/namespaces")
@operation("Create a namespace", body=NamespaceRequest(), answers={201: NamespaceResponse()})
def create(body: dict[str, Any]) -> Response:
    """Create a namespace; if its seed or a fault is refused, nothing is created."""
    namespaces = _registry()
    name = _name(namespaces, body["name"])
    origin = _origin(name, body)
    return answer(_to_json(name, namespaces.create(name, origin)), 201)


def _origin(name: str, body: dict[str, Any]) -> Origin | None:
    is_recorded = body["record"]
    if all(body[each] is None for each in ("now", "ids", "seed")) and not (
        body["faults"] or is_recorded
    ):
        return None
    seed = body["seed"] and _load(body["seed"])
    faults = [fault_row(fault) for fault in body["faults"]]
    given_faults = read_object().get("faults", [])
    app_settings, surfaces = settings(), control().surfaces

    def prepare(namespace: Namespace) -> None:
        nonlocal is_recorded
        if seed:
            seed.apply(namespace)
        with namespace.activate():
            insert_faults(faults)
            if is_recorded:  # not what a reset makes: that is a line of the same run
                is_recorded, namespace.name = False, name
                seeds = [seed.document.content] if seed else []
                begin(Recording(), app_settings, surfaces, seeds=seeds, faults=given_faults)

    ids_seed = body["ids"] or (random_seed() if is_recorded else None)
    return Origin(body["now"], ids_seed, prepare)


@routes.get("/namespaces/<namespace>")
@operation("Get a namespace", answers=_answers)
def show(namespace: str) -> Response:
    return answer(_to_json(namespace, _find(namespace)))


@routes.delete("/namespaces/<namespace>")
@operation("Drop a namespace", answers={204: None})
def drop(namespace: str) -> Response:
    _registry().drop(namespace)
    return Response(status=204)


@routes.post("/namespaces/<namespace>/reset")
@operation("Reset a namespace to its initial state", answers=_answers)
def reset(namespace: str) -> Response:
    found = _find(namespace)
    with found.activate() if found.recording else nullcontext():
        _registry().reset(namespace)
        if found.recording:
            note("reset", at=to_text(clock.state().began_at))
    return answer(_to_json(namespace, _find(namespace)))


@routes.post("/namespaces/<namespace>/fork")
@operation("Copy a namespace", body=ForkRequest(), answers={201: NamespaceResponse()})
def fork(namespace: str, body: dict[str, Any]) -> Response:
    namespaces = _registry()
    name = _name(namespaces, body["name"])
    return answer(_to_json(name, namespaces.fork(namespace, name)), 201)


@routes.get("/namespaces/<namespace>/snapshot")
@operation("Get a namespace as a database file", answers={200: None})
def snapshot(namespace: str) -> Response:
    body = Spool.of_file(_find(namespace).copy_to)
    response = answer_body(body, content_type=SQLITE)
    response.headers["Content-Disposition"] = f'attachment; filename="{namespace}.sqlite3"'
    return response


@routes.post("/namespaces/<namespace>/restore")
@operation("Restore a namespace from a database file", answers=_answers)
def restore(namespace: str) -> Response:
    """Restore from the file in the body; create the namespace if it does not exist."""
    namespaces = _registry()
    request.max_content_length = settings().max_restore_bytes
    try:
        with TemporaryFile() as file:
            copyfileobj(request.stream, file)
            file.flush()
            namespaces.restore(namespace, store.map_file(file))
        with _find(namespace).activate():
            note_restore()
    except store.DatabaseUnusable as error:
        raise ApiError(400, f"{error}") from None
    except OSError as error:
        raise ApiError(503, f"the file cannot be kept: {error.strerror}") from error
    return answer(_to_json(namespace, _find(namespace)))


@routes.post("/namespaces/<namespace>/seed")
@operation("Apply a seed", answers={200: SeedResponse()})
def apply_seed(namespace: str) -> Response:
    """Apply the seed in the body: TOML, or JSON with that content type."""
    found = _find(namespace)
    generation = found.generation
    seed = _load(_document())
    if found.recording is None:
        return answer({"row_count": seed.apply(found, generation)})
    with found.activate(generation), clock.held():
        row_count = seed.apply(found, generation)
        note("seed", seed=found.recording.without_secrets(seed.document.content))
    return answer({"row_count": row_count})


def _registry() -> Namespaces:
    namespaces = control().namespaces
    if namespaces is None:
        raise ApiError(409, "a server has only the namespace default: start a double instead")
    return namespaces


def _find(name: str) -> Namespace:
    namespaces = control().namespaces
    if namespaces is not None:
        return namespaces.find(name)
    if name != DEFAULT:
        raise ApiError(404, f"there is no namespace {name!r}")
    return control().namespace


def _name(namespaces: Namespaces, name: str | None) -> str:
    if name is not None:
        return name
    with namespaces.find(DEFAULT).activate():
        # A seed gives the same names again once the default namespace is reset.
        while namespaces.named(made := ids.word(12, _LETTERS)):
            pass
    return made


def _load(document: loader.Document) -> loader.Seed:
    """Load a seed before a namespace is locked for it."""
    return loader.load(document, control().surfaces)


def _document() -> loader.Document:
    try:
        if request.is_json:
            return loader.Document("the seed", "", read_object())
        return _parse_toml(request.get_data().decode("utf-8-sig"))
    except RecursionError:
        raise ApiError(400, "the seed is nested too deep") from None
    except ValueError as error:
        kind = "JSON" if request.is_json else "TOML"
        raise ApiError(400, f"the seed is not {kind}: {error}") from None


def _parse_toml(text: str) -> loader.Document:
    try:
        return loader.Document("the seed", text, tomllib.loads(text))
    except RecursionError:
        raise ApiError(400, "the seed is nested too deep") from None
    except ValueError as error:
        raise ApiError(400, f"the seed is not TOML: {loader.toml_problem(error)}") from None


def _to_json(name: str, namespace: Namespace) -> dict[str, Any]:
    with namespace.activate():
        return {"name": name, "clock": clock_to_json()}
