"""Suggestions for invalid requests: the nearest valid value, and "did you mean"."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Any

from marshmallow import Schema

from sessionary.web.fields import Problem
from sessionary.web.instants import BadInstant, parse
from sessionary.web.route_table import Route, RouteTable
from sessionary.web.surface import Surface

NOTHING = object()  # the absence of a value
_MIN_SIMILARITY = 0.7
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
        similar = similar_name(name, known)
        hints = [f"Did you mean `{similar}`?"] if similar is not None else []
        elsewhere = self._elsewhere(name, surface)
        return " ".join([*hints, *([elsewhere] if elsewhere is not None else [])]) or None

    def _elsewhere(self, name: str, surface: Surface) -> str | None:
        routes = self._routes.get(name, [])
        for each in routes:
            if each.surface is surface:
                return f"`{name}` is a field of {each.method} {each.path}."
        if routes:
            owner, here = vendor_name(routes[0].surface), vendor_name(surface)
            return f"That is {owner}'s `{name}`; {here} has no such field."
        return None


def vendor_name(surface: Surface) -> str:
    """The vendor's name: the capitalized words at the start of the surface's title."""
    return " ".join(takewhile(lambda word: word[0].isupper(), surface.title.split()))


def field_names(schema: Schema | None) -> dict[str, Any]:
    """The fields of a schema by their names in requests."""
    if schema is None:
        return {}
    return {each.data_key or name: each for name, each in schema.load_fields.items()}


def similar_name(name: str, known: Iterable[str]) -> str | None:
    """The most similar known name, ignoring case and punctuation; None if there is none."""
    by_letters = {_letters(each): each for each in known}
    found = get_close_matches(_letters(name), by_letters, 1, _MIN_SIMILARITY)
    return by_letters[found[0]] if found else None


def suggest_value(problem: Problem, actual: Any) -> Any:
    """The valid value that is nearest to the actual one, or NOTHING."""
    if problem.kind == "bounds":
        return next((limit + _STEPS[name] for name, limit in problem.bounds.items()), NOTHING)
    if problem.kind == "choice":
        return _choice(problem.bounds.get("choices", ()), actual)
    convert = _BY_KIND.get(problem.kind)
    return NOTHING if convert is None else convert(actual)


def _choice(choices: Sequence[str], actual: Any) -> Any:
    by_letters = {_letters(each): each for each in choices}
    found = get_close_matches(_letters(str(actual)), by_letters, 1, 0)
    return by_letters[found[0]] if found else NOTHING


def _integer(actual: Any) -> Any:
    try:
        return NOTHING if isinstance(actual, bool) else int(float(actual))
    except (TypeError, ValueError, OverflowError):
        return NOTHING


def _boolean(actual: Any) -> Any:
    return _WORDS.get(str(actual).strip().lower(), NOTHING)


def _text(actual: Any) -> Any:
    is_number = isinstance(actual, int | float) and not isinstance(actual, bool)
    return str(actual) if is_number else NOTHING


def _list(actual: Any) -> Any:
    return [actual] if isinstance(actual, str) else NOTHING


def _instant(actual: Any) -> Any:
    if not isinstance(actual, str):
        return NOTHING
    for text in (f"{actual}Z", f"{actual}T00:00:00Z", actual.replace(" ", "T", 1) + "Z"):
        try:
            parse(text)
        except BadInstant:
            continue
        return text
    return NOTHING


_BY_KIND = {
    "integer": _integer,
    "integer_fraction": _integer,
    "boolean": _boolean,
    "text": _text,
    "list": _list,
    "instant_text": _instant,
}


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
