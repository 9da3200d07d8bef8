"""Worlds: made, listed, reset, copied, kept as a file and dropped."""

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
from sessionary.store import DEFAULT, Namespaces, World
from sessionary.web.fields import Integer, Object, Text
from sessionary.web.operations import answer, operation, read_object

SQLITE = "application/vnd.sqlite3"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
routes = make_blueprint("namespaces")


class New(Strict):
    """A world's name (else one is made up), the instant at which its clock stands, its seed."""

    name = Text(load_default=None)
    now = Instant(load_default=None)
    seed = Object(load_default=None)


class Fork(Strict):
    """The copy's name; one is made up unless given."""

    name = Text(load_default=None)


class Namespace(Strict):
    """A world."""

    name = Text(required=True)
    clock = fields.Nested(ClockShown, required=True)


class AllNamespaces(Strict):
    """Every world, and how many there may be."""

    namespaces = fields.List(Text(), required=True)
    maximum = Integer(required=True)


class Seeded(Strict):
    """How many rows a seed had."""

    rows = Integer(required=True)


@routes.get("/namespaces")
@operation("Every world", answers={200: AllNamespaces()})
def list_namespaces() -> Response:
    worlds = control().worlds
    if worlds is None:
        return answer({"namespaces": [DEFAULT], "maximum": 1})
    return answer({"namespaces": worlds.names(), "maximum": worlds.maximum})


@routes.post("/namespaces")
@operation("Make a world", body=New(), answers={201: Namespace()})
def create(body: dict[str, Any]) -> Response:
    """Nothing is made where its seed is refused."""
    worlds = _several()
    name = _named(worlds, body["name"])
    world = worlds.create(name)
    try:
        with world.entered():
            if body["now"] is not None:
                _freeze(body["now"])
            if body["seed"] is not None:
                _apply(loader.Document("the seed", "", body["seed"]))
    except BaseException:
        worlds.drop(name)
        raise
    return answer(_shown(name, world), 201)


@routes.get("/namespaces/<namespace>")
@operation("A world", answers={200: Namespace()})
def show(namespace: str) -> Response:
    return answer(_shown(namespace, _world(namespace)))


@routes.delete("/namespaces/<namespace>")
@operation("Drop a world", answers={204: None})
def drop(namespace: str) -> Response:
    _several().drop(namespace)
    return Response(status=204)


@routes.post("/namespaces/<namespace>/reset")
@operation("Make a world what a new one is", answers={200: Namespace()})
def reset(namespace: str) -> Response:
    _several().reset(namespace)
    return answer(_shown(namespace, _world(namespace)))


@routes.post("/namespaces/<namespace>/fork")
@operation("Copy a world", body=Fork(), answers={201: Namespace()})
def fork(namespace: str, body: dict[str, Any]) -> Response:
    worlds = _several()
    name = _named(worlds, body["name"])
    return answer(_shown(name, worlds.fork(namespace, name)), 201)


@routes.get("/namespaces/<namespace>/snapshot")
@operation("A world as a database file", answers={200: None})
def snapshot(namespace: str) -> Response:
    response = Response(_world(namespace).contents(), content_type=SQLITE)
    response.headers["Content-Disposition"] = f'attachment; filename="{namespace}.sqlite3"'
    return response


@routes.post("/namespaces/<namespace>/restore")
@operation("Bring a world back from its file", answers={200: Namespace()})
def restore(namespace: str) -> Response:
    """The body is the file. A world of this name is made if there is none."""
    try:
        _several().restore(namespace, request.get_data())
    except store.Unusable as error:
        raise errors.Refusal(400, f"{error}") from None
    return answer(_shown(namespace, _world(namespace)))


@routes.post("/namespaces/<namespace>/seed")
@operation("Bring a world up to a seed", answers={200: Seeded()})
def apply_seed(namespace: str) -> Response:
    """The body is the seed, as TOML or, if it is declared so, as JSON."""
    with _world(namespace).entered():
        return answer({"rows": _apply(_document())})


def _several() -> Namespaces:
    worlds = control().worlds
    if worlds is None:
        raise errors.Refusal(409, "this server has one world and keeps it: start a double instead")
    return worlds


def _world(name: str) -> World:
    worlds = control().worlds
    if worlds is not None:
        return worlds.find(name)
    if name != DEFAULT:
        raise errors.Refusal(404, f"there is no world {name!r}")
    return control().world


def _named(worlds: Namespaces, name: str | None) -> str:
    if name is not None:
        return name
    with worlds.find(DEFAULT).entered():
        return ids.word(12, _LETTERS)


def _freeze(at: int) -> None:
    try:
        clock.put("frozen", at)
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


def _shown(name: str, world: World) -> dict[str, Any]:
    with world.entered():
        return {"name": name, "clock": clock_shown()}
