"""Suggestions for invalid requests: the nearest valid value, and "did you mean"."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import takewhile
from typing import Any

from marshmallow import Schema

from sessionary.web.fields import Problem
from sessionary.web.instants import BadInstant, parse
from sessionary.web.route_table import Route, RouteTable
from sessionary.web.surface import Surface

NOTHING = object()  # the absence of a value
_STEPS = {"ge": 0, "le": 0, "gt": 1, "lt": -1}
_WORDS = {"true": True, "yes": True, "1": True, "on": True}
_WORDS |= {"false": False, "no": False, "0": False, "off": False}


class FieldIndex:
    """The routes of all surfaces by the names of their fields."""

    def __init__(self, routes: RouteTable, surfaces: Iterable[Surface]) -> None:
        self._routes: dict[str, list[Route]] = {}
        for route in (each for surface in surfaces for each in routes.routes(surface)):
            operation = route.operation
            for name in field_names(operation.body).keys() | field_names(operation.query).keys():
                self._routes.setdefault(name, []).append(route)

    def hint(self, name: str, known: Iterable[str], surface: Surface) -> str | None:
        """Return a hint for a name that is not one of the `known` ones."""
        similar, routes = similar_name(name, known), self._routes.get(name, [])
        hints = [] if similar is None else [f"Did you mean `{similar}`?"]
        own = next((each for each in routes if each.surface is surface), None)
        if own is not None:
            hints.append(f"`{name}` is a field of {own.method} {own.path}.")
        elif routes:
            owner, here = vendor_name(routes[0].surface), vendor_name(surface)
            hints.append(f"That is {owner}'s `{name}`; {here} has no such field.")
        return " ".join(hints) or None


def vendor_name(surface: Surface) -> str:
    """The vendor's name: the capitalized words at the start of the surface's title."""
    return " ".join(takewhile(lambda word: word[0].isupper(), surface.title.split()))


def field_names(schema: Schema | None) -> dict[str, Any]:
    """The fields of a schema by their names in requests."""
    if schema is None:
        return {}
    return {each.data_key or name: each for name, each in schema.load_fields.items()}


def similar_name(name: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The most similar known name, ignoring case and punctuation; None if there is none."""
    by_letters = {_letters(each): each for each in known}
    found = get_close_matches(_letters(name), by_letters, 1, cutoff)
    return by_letters[found[0]] if found else None


def suggest_value(problem: Problem, actual: Any) -> Any:
    """The valid value that is nearest to the actual one, or NOTHING."""
    if problem.kind == "bounds":
        return next((limit + _STEPS[name] for name, limit in problem.bounds.items()), NOTHING)
    if problem.kind == "choice":
        return similar_name(str(actual), problem.bounds.get("choices", ()), 0) or NOTHING
    try:
        return _convert(problem.kind, actual)
    except (TypeError, ValueError, OverflowError):
        return NOTHING


def _convert(kind: str, actual: Any) -> Any:
    """Convert a value to what a problem of this kind demands, if its meaning is plain."""
    is_text, is_boolean = isinstance(actual, str), isinstance(actual, bool)
    if kind in ("integer", "integer_fraction") and not is_boolean:
        return int(float(actual))
    if kind == "boolean":
        return _WORDS.get(str(actual).strip().lower(), NOTHING)
    if kind == "text" and isinstance(actual, int | float) and not is_boolean:
        return str(actual)
    if kind == "list" and is_text:
        return [actual]
    return _instant(actual) if kind == "instant_text" and is_text else NOTHING


def _instant(actual: str) -> Any:
    for text in (f"{actual}Z", f"{actual}T00:00:00Z", actual.replace(" ", "T", 1) + "Z"):
        try:
            parse(text)
        except BadInstant:
            continue
        return text
    return NOTHING


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
