"""What is wrong with a call, all of it, and what of it nobody looks at."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple

from flask import current_app, request
from marshmallow import EXCLUDE, Schema, fields

from sessionary import clock
from sessionary.control.route_table import Address, Addresses
from sessionary.control.validation.suggestions import (
    NOTHING,
    Names,
    names,
    nearest,
    similar,
    vendor,
)
from sessionary.web import json_codec
from sessionary.web.context import read_instant
from sessionary.web.fields import Problem
from sessionary.web.operations import Invalid
from sessionary.web.surface import Surface

Told = list[dict[str, Any]]


class Verdict(NamedTuple):
    """Violations, and what is ignored, as they are shown."""

    violations: Told
    ignored: Told


class Judge:
    """Judges the calls of an application."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    @cached_property
    def _names(self) -> Names:
        return Names(self._addresses)

    def verdict(self, environ: dict[str, Any], *, is_admitted: bool, has_body: bool) -> Verdict:
        """What is wrong with a request; without its body, what is wrong with the rest.

        Call it within a rehearsal: a read as of another instant rewinds the namespace.
        """
        address = self._addresses.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        violations: Told = []
        if address.route is None:
            violations.append(self._astray(address, environ["REQUEST_METHOD"]))
        if address.surface is None:
            return Verdict(violations, [])
        if not is_admitted:
            violations.append(self._not_admitted(address.surface, environ))
        if address.operation is None:
            return Verdict(violations, [])
        with current_app.request_context(environ):
            sent = {"query": request.args.to_dict(), "body": _body() if has_body else {}}
            problems = _problems(address, environ)
        violations += [
            self._violation(problem, sent.get(problem.where, {}), address)
            for problem in problems
            if has_body or problem.where != "body"
        ]
        return Verdict(violations, self._ignored(sent, address))

    def _not_admitted(self, surface: Surface, environ: dict[str, Any]) -> dict[str, Any]:
        """The key is not shown, but whose it looks like is."""
        if surface.security["type"] == "apiKey":
            name, example = surface.security["name"], "a key"
        else:
            name, example = "Authorization", f"Bearer {surface.key_prefix}…"
        sent = environ.get(f"HTTP_{name.upper().replace('-', '_')}", "").removeprefix("Bearer ")
        others = (each for each in self._addresses.surfaces if each is not surface)
        owner = next((each for each in others if sent.startswith(each.key_prefix)), None)
        hint = None if owner is None else f"It looks like a key of {vendor(owner)}'s."
        expected = f"must be a key that is admitted here, as `{name}: {example}`"
        return _told("header", name, expected, hint=hint)

    def _astray(self, address: Address, method: str) -> dict[str, Any]:
        """Of a path without a route for its method: which one may have been meant."""
        if address.methods:
            allowed = ", ".join(address.methods)
            return _told("path", address.path, f"takes {allowed}", method)
        hint = self._meant(address, method)
        return _told("path", address.path, "must be a path of a route", address.path, hint=hint)

    def _meant(self, address: Address, method: str) -> str | None:
        for each in {
            route.surface.name: route.surface for route in self._addresses.routes
        }.values():
            if self._addresses.find(method, f"/{each.name}{address.path}").route is not None:
                return f"That is {vendor(each)}'s: send it to /{each.name}{address.path}."
        known = {
            route.path
            for route in self._addresses.routes
            if address.surface in (None, route.surface)
        }
        found = get_close_matches(address.path, sorted(known), 1)
        return f"Did you mean {found[0]}?" if found else None

    def _violation(
        self, problem: Problem, sent: Mapping[str, Any], address: Address
    ) -> dict[str, Any]:
        got = _at(sent, problem.path)
        legal = nearest(problem, got)
        hint = None
        name = str(problem.path[-1]) if problem.path else ""
        known = _known(address, problem.where)
        if problem.kind == "unknown" and address.surface is not None:
            hint = self._names.hint(name, known, address.surface)
        elif problem.kind == "missing":
            meant = similar(name, [each for each in sent if each not in known])
            hint = None if meant is None else f"You sent `{meant}`."
        elif problem.kind == "null":
            hint = "Leave it out instead."
        pointer = _pointer(problem)
        return _told(problem.where, pointer, problem.text, got, legal, hint)

    def _ignored(self, sent: dict[str, Any], address: Address) -> Told:
        operation, surface = address.operation, address.surface
        if operation is None or surface is None:
            return []
        found = []
        for where, schema in (("query", operation.query), ("body", operation.body)):
            known = _known(address, where)
            for path in _unread(schema, sent[where]):
                hint = self._names.hint(str(path[-1]), known, surface)
                place = "".join(f"/{each}" for each in path)
                found.append(
                    {
                        "location": where,
                        "pointer": place,
                        "actual": _at(sent[where], path),
                        "hint": hint,
                    }
                )
        return found


def _problems(address: Address, environ: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    if "HTTP_SESSIONARY_AT" in environ:
        try:
            read_instant(clock.now())
        except Invalid as invalid:
            found += invalid.problems
    if address.operation is not None:
        found += address.operation.load({})
    return found


def _body() -> dict[str, Any]:
    """The request's object, where it has one. It can be read again."""
    try:
        return json_codec.parse(request.get_data(cache=True))
    except json_codec.BadDocument:
        return {}


def _known(address: Address, where: str) -> set[str]:
    operation = address.operation
    if operation is None:
        return set()
    return set(names(operation.query if where == "query" else operation.body))


def _unread(schema: Schema | None, sent: Any, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """The places of what a schema lets pass without looking at it."""
    if not isinstance(sent, dict):
        return
    known = names(schema)
    for name, value in sent.items():
        field = known.get(name) or known.get(name.removesuffix("[]"))
        if field is None:
            if schema is None or schema.unknown == EXCLUDE:
                yield (*path, name)
            continue
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            items = value if isinstance(value, list) else [value]
            for number, item in enumerate(items):
                place = (*path, name, number) if isinstance(value, list) else (*path, name)
                yield from _unread(inner.schema, item, place)


def _at(sent: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            sent = sent[step]
        except (KeyError, IndexError, TypeError):
            return NOTHING
    return sent if path else NOTHING


def _pointer(problem: Problem) -> str:
    if problem.where != "body":
        return ".".join(map(str, problem.path)) or problem.where
    return "".join(f"/{each}" for each in problem.path) or "/"


def _told(
    where: str,
    pointer: str,
    expected: str,
    got: Any = NOTHING,
    legal: Any = NOTHING,
    hint: str | None = None,
) -> dict[str, Any]:
    told = {"location": where, "pointer": pointer, "expected": expected}
    told |= {} if got is NOTHING else {"actual": got}
    told |= {} if legal is NOTHING else {"suggestion": legal}
    return {**told, "hint": hint}
