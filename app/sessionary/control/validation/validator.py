"""The request validator: every violation of a vendor call, and every ignored field."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple

from flask import current_app, request
from marshmallow import EXCLUDE, Schema, fields

from sessionary import clock
from sessionary.control.messages import parse_object
from sessionary.control.validation.suggestions import (
    NOTHING,
    FieldIndex,
    field_names,
    similar_name,
    suggest_value,
    vendor_name,
)
from sessionary.web.context import read_instant
from sessionary.web.fields import Problem
from sessionary.web.operations import Invalid, Operation
from sessionary.web.route_table import RouteMatch, RouteTable
from sessionary.web.surface import Surface


class ValidationReport(NamedTuple):
    """Violations and ignored fields, as JSON."""

    violations: list[dict[str, Any]]
    ignored: list[dict[str, Any]]


class RequestValidator:
    """Validates vendor calls against the routes of an application."""

    def __init__(self, routes: RouteTable, surfaces: Sequence[Surface]) -> None:
        self._routes = routes
        self._surfaces = surfaces

    @cached_property
    def _fields(self) -> FieldIndex:
        return FieldIndex(self._routes, self._surfaces)

    def validate(
        self, environ: dict[str, Any], *, is_authenticated: bool, has_body: bool
    ) -> ValidationReport:
        """Validate a request; without its body, only the rest of it.

        Must run inside a dry run, and within `undo_log.reading`: `Sessionary-At` counts here, too.
        """
        match = self._routes.match(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        violations = []
        if match.route is None:
            violations.append(self._no_route(match, environ["REQUEST_METHOD"]))
        if match.surface is not None and not is_authenticated:
            violations.append(self._not_authenticated(match.surface, environ))
        if match.surface is None or match.operation is None:
            return ValidationReport(violations, [])
        with current_app.request_context(environ):
            body = parse_object(request.get_data(cache=True)) if has_body else {}
            sent = {"query": request.args.to_dict(), "body": body}
            problems = _problems(match.operation, environ)
        violations += [
            self._violation(problem, sent.get(problem.where, {}), match)
            for problem in problems
            if has_body or problem.where != "body"
        ]
        return ValidationReport(violations, self._ignored(sent, match))

    def _not_authenticated(self, surface: Surface, environ: dict[str, Any]) -> dict[str, Any]:
        """Report a refused key by the vendor that it seems to belong to; the key is not shown."""
        if surface.security["type"] == "apiKey":
            name, example = surface.security["name"], "a key"
        else:
            name, example = "Authorization", f"Bearer {surface.key_prefix}…"
        key = environ.get(f"HTTP_{name.upper().replace('-', '_')}", "").removeprefix("Bearer ")
        others = (each for each in self._surfaces if each is not surface)
        owner = next((each for each in others if key.startswith(each.key_prefix)), None)
        hint = None if owner is None else f"It looks like a key of {vendor_name(owner)}'s."
        expected = f"must be a valid key, as `{name}: {example}`"
        return _report("header", name, expected, hint=hint)

    def _no_route(self, match: RouteMatch, method: str) -> dict[str, Any]:
        if match.methods:
            allowed = ", ".join(match.methods)
            return _report("path", match.path, f"takes {allowed}", method)
        hint = self._path_hint(match, method)
        return _report("path", match.path, "must be a path of a route", match.path, hint=hint)

    def _path_hint(self, match: RouteMatch, method: str) -> str | None:
        for each in self._surfaces:
            path = f"/{each.name}{match.path}"
            if self._routes.match(method, path).route is not None:
                return f"That is {vendor_name(each)}'s: send it to {path}."
        surfaces = self._surfaces if match.surface is None else [match.surface]
        known = {route.path for surface in surfaces for route in self._routes.routes(surface)}
        found = get_close_matches(match.path, sorted(known), 1)
        return f"Did you mean {found[0]}?" if found else None

    def _violation(
        self, problem: Problem, sent: Mapping[str, Any], match: RouteMatch
    ) -> dict[str, Any]:
        actual, hint = _value_at(sent, problem.path), None
        name = str(problem.path[-1]) if problem.path else ""
        known = field_names(_schema(match, problem.where))
        if problem.kind == "unknown" and match.surface is not None:
            hint = self._fields.hint(name, known, match.surface)
        elif problem.kind == "missing":
            similar = similar_name(name, [each for each in sent if each not in known])
            hint = None if similar is None else f"You sent `{similar}`."
        elif problem.kind == "null":
            hint = "Leave it out instead."
        suggestion = suggest_value(problem, actual)
        return _report(problem.where, problem.pointer, problem.text, actual, suggestion, hint)

    def _ignored(self, sent: dict[str, Any], match: RouteMatch) -> list[dict[str, Any]]:
        if match.surface is None:
            return []
        return [
            {
                "location": location,
                "pointer": "".join(f"/{each}" for each in path),
                "actual": _value_at(content, path),
                "hint": self._fields.hint(str(path[-1]), field_names(schema), match.surface),
            }
            for location, content in sent.items()
            for schema in [_schema(match, location)]
            for path in _ignored_paths(schema, content)
        ]


def _problems(operation: Operation, environ: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    if "HTTP_SESSIONARY_AT" in environ:
        try:
            read_instant(clock.now())
        except Invalid as invalid:
            found += invalid.problems
    return found + operation.load({})


def _schema(match: RouteMatch, location: str) -> Schema | None:
    operation = match.operation
    if operation is None:
        return None
    return operation.query if location == "query" else operation.body


def _ignored_paths(schema: Schema | None, sent: Any, path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield the paths of the members that a schema ignores."""
    if not isinstance(sent, dict):
        return
    known = field_names(schema)
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
                yield from _ignored_paths(inner.schema, item, place)


def _value_at(sent: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            sent = sent[step]
        except (KeyError, IndexError, TypeError):
            return NOTHING
    return sent if path else NOTHING


def _report(
    location: str,
    pointer: str,
    expected: str,
    actual: Any = NOTHING,
    suggestion: Any = NOTHING,
    hint: str | None = None,
) -> dict[str, Any]:
    report = {"location": location, "pointer": pointer, "expected": expected}
    report |= {} if actual is NOTHING else {"actual": actual}
    report |= {} if suggestion is NOTHING else {"suggestion": suggestion}
    return {**report, "hint": hint}
