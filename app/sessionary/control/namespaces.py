"""Namespaces: made, listed, reset, copied, kept as a file and dropped."""

import tomllib
from typing import Any

from flask import request
from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import clock, ids, store
from sessionary.control import errors
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.clock import Shown as ClockShown
from sessionary.control.clock import shown as clock_shown
from sessionary.control.fields import Instant, Strict
from sessionary.seeds import loader
from sessionary.store import DEFAULT, Namespace, Namespaces
from sessionary.web.fields import Integer, Object, Text
from sessionary.web.operations import answer, operation, read_object

SQLITE = "application/vnd.sqlite3"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
routes = make_blueprint("namespaces")


class New(Strict):
    """A namespace's name (else one is made up), the instant at which its clock stands, its seed."""

    name = Text(load_default=None)
    now = Instant(load_default=None)
    seed = Object(load_default=None)


class Fork(Strict):
    """The copy's name; one is made up unless given."""

    name = Text(load_default=None)


class NamespaceResponse(Strict):
    """A namespace."""

    name = Text(required=True)
    clock = fields.Nested(ClockShown, required=True)


class AllNamespaces(Strict):
    """Every namespace, and how many there may be."""

    namespaces = fields.List(Text(), required=True)
    max_namespaces = Integer(required=True)


class Seeded(Strict):
    """How many rows a seed had."""

    row_count = Integer(required=True)


@routes.get("/namespaces")
@operation("Every namespace", answers={200: AllNamespaces()})
def list_namespaces() -> Response:
    namespaces = control().namespaces
    if namespaces is None:
        return answer({"namespaces": [DEFAULT], "max_namespaces": 1})
    return answer({"namespaces": namespaces.names(), "max_namespaces": namespaces.maximum})


@routes.post("/namespaces")
@operation("Make a namespace", body=New(), answers={201: NamespaceResponse()})
def create(body: dict[str, Any]) -> Response:
    """Nothing is made where its seed is refused."""
    namespaces = _several()
    name = _named(namespaces, body["name"])
    namespace = namespaces.create(name)
    try:
        with namespace.activate():
            if body["now"] is not None:
                _freeze(body["now"])
            if body["seed"] is not None:
                _apply(loader.Document("the seed", "", body["seed"]))
    except BaseException:
        namespaces.drop(name)
        raise
    return answer(_shown(name, namespace), 201)


@routes.get("/namespaces/<namespace>")
@operation("A namespace", answers={200: NamespaceResponse()})
def show(namespace: str) -> Response:
    return answer(_shown(namespace, _namespace(namespace)))


@routes.delete("/namespaces/<namespace>")
@operation("Drop a namespace", answers={204: None})
def drop(namespace: str) -> Response:
    _several().drop(namespace)
    return Response(status=204)


@routes.post("/namespaces/<namespace>/reset")
@operation("Make a namespace what a new one is", answers={200: NamespaceResponse()})
def reset(namespace: str) -> Response:
    _several().reset(namespace)
    return answer(_shown(namespace, _namespace(namespace)))


@routes.post("/namespaces/<namespace>/fork")
@operation("Copy a namespace", body=Fork(), answers={201: NamespaceResponse()})
def fork(namespace: str, body: dict[str, Any]) -> Response:
    namespaces = _several()
    name = _named(namespaces, body["name"])
    return answer(_shown(name, namespaces.fork(namespace, name)), 201)


@routes.get("/namespaces/<namespace>/snapshot")
@operation("A namespace as a database file", answers={200: None})
def snapshot(namespace: str) -> Response:
    response = Response(_namespace(namespace).contents(), content_type=SQLITE)
    response.headers["Content-Disposition"] = f'attachment; filename="{namespace}.sqlite3"'
    return response


@routes.post("/namespaces/<namespace>/restore")
@operation("Bring a namespace back from its file", answers={200: NamespaceResponse()})
def restore(namespace: str) -> Response:
    """The body is the file. A namespace of this name is made if there is none."""
    try:
        _several().restore(namespace, request.get_data())
    except store.DatabaseUnusable as error:
        raise errors.Refusal(400, f"{error}") from None
    return answer(_shown(namespace, _namespace(namespace)))


@routes.post("/namespaces/<namespace>/seed")
@operation("Bring a namespace up to a seed", answers={200: Seeded()})
def apply_seed(namespace: str) -> Response:
    """The body is the seed, as TOML or, if it is declared so, as JSON."""
    with _namespace(namespace).activate():
        return answer({"row_count": _apply(_document())})


def _several() -> Namespaces:
    namespaces = control().namespaces
    if namespaces is None:
        raise errors.Refusal(
            409, "this server has one namespace and keeps it: start a double instead"
        )
    return namespaces


def _namespace(name: str) -> Namespace:
    namespaces = control().namespaces
    if namespaces is not None:
        return namespaces.find(name)
    if name != DEFAULT:
        raise errors.Refusal(404, f"there is no namespace {name!r}")
    return control().namespace


def _named(namespaces: Namespaces, name: str | None) -> str:
    if name is not None:
        return name
    with namespaces.find(DEFAULT).activate():
        return ids.word(12, _LETTERS)


def _freeze(at: int) -> None:
    try:
        clock.set_mode("frozen", at)
    except clock.BadClock as error:
        raise errors.Refusal(400, f"now: {error}") from None


def _document() -> loader.Document:
    try:
        if request.is_json:
            return loader.Document("the seed", "", read_object())
        text = request.get_data().decode()
        return loader.Document("the seed", text, tomllib.loads(text))
    except RecursionError:
        raise errors.Refusal(400, "the seed is nested too deep") from None
    except ValueError as error:
        kind = "JSON" if request.is_json else "TOML"
        raise errors.Refusal(400, f"the seed is not {kind}: {error}") from None


def _apply(document: loader.Document) -> int:
    try:
        return loader.apply(document, control().surfaces)
    except loader.BadSeed as error:
        raise errors.Refusal(400, f"{error}") from None


def _shown(name: str, namespace: Namespace) -> dict[str, Any]:
    with namespace.activate():
        return {"name": name, "clock": clock_shown()}
