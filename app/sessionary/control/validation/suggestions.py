"""What somebody may have meant: the nearest legal value, and whose field a name is."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from itertools import takewhile
from typing import Any, NamedTuple

from marshmallow import Schema

from sessionary.control.route_table import Addresses, Route
from sessionary.web.fields import Problem
from sessionary.web.instants import BadInstant, parse
from sessionary.web.surface import Surface

NOTHING = object()  # where there is no value that would do
_ALIKE = 0.7
_STEPS = {"ge": 0, "le": 0, "gt": 1, "lt": -1}
_WORDS = {"true": True, "yes": True, "1": True, "on": True}
_WORDS |= {"false": False, "no": False, "0": False, "off": False}


class Place(NamedTuple):
    """Where a field with this name is."""

    surface: Surface
    method: str
    path: str


class Names:
    """The names of all fields that the surfaces' routes take."""

    def __init__(self, addresses: Addresses) -> None:
        self._places: dict[str, list[Place]] = {}
        for route in addresses.routes:
            for name in _taken(route):
                place = Place(route.surface, route.method, route.path)
                self._places.setdefault(name, []).append(place)

    def hint(self, name: str, known: Iterable[str], surface: Surface) -> str | None:
        """What somebody may have meant by a name that none of the `known` ones is."""
        meant = similar(name, known)
        said = [f"Did you mean `{meant}`?"] if meant is not None else []
        elsewhere = self._elsewhere(name, surface)
        return " ".join([*said, *([elsewhere] if elsewhere is not None else [])]) or None

    def _elsewhere(self, name: str, surface: Surface) -> str | None:
        places = self._places.get(name, [])
        for each in places:
            if each.surface is surface:
                return f"`{name}` is a field of {each.method} {each.path}."
        if places:
            owner, here = vendor(places[0].surface), vendor(surface)
            return f"That is {owner}'s `{name}`; {here} has no such field."
        return None


def vendor(surface: Surface) -> str:
    """Its name among people: the words of its title up to what it has."""
    return " ".join(takewhile(lambda word: word[0].isupper(), surface.title.split()))


def names(schema: Schema | None) -> dict[str, Any]:
    """The fields that a schema takes, by the names that they have in requests."""
    if schema is None:
        return {}
    return {each.data_key or name: each for name, each in schema.load_fields.items()}


def similar(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, however it is written; None if none is."""
    plain = {_plain(each): each for each in known}
    found = get_close_matches(_plain(name), plain, 1, _ALIKE)
    return plain[found[0]] if found else None


def nearest(problem: Problem, got: Any) -> Any:
    """The legal value that is nearest to what was sent, or NOTHING."""
    if problem.kind == "bounds":
        return next((limit + _STEPS[name] for name, limit in problem.bounds.items()), NOTHING)
    if problem.kind == "choice":
        return _choice(problem.bounds.get("choices", ()), got)
    find = _BY_KIND.get(problem.kind)
    return NOTHING if find is None else find(got)


def _choice(choices: Sequence[str], got: Any) -> Any:
    plain = {_plain(each): each for each in choices}
    found = get_close_matches(_plain(str(got)), plain, 1, 0)
    return plain[found[0]] if found else NOTHING


def _integer(got: Any) -> Any:
    try:
        return NOTHING if isinstance(got, bool) else int(float(got))
    except (TypeError, ValueError, OverflowError):
        return NOTHING


def _boolean(got: Any) -> Any:
    return _WORDS.get(str(got).strip().lower(), NOTHING)


def _text(got: Any) -> Any:
    is_plain = isinstance(got, int | float) and not isinstance(got, bool)
    return str(got) if is_plain else NOTHING


def _list(got: Any) -> Any:
    return [got] if isinstance(got, str) else NOTHING


def _instant(got: Any) -> Any:
    if not isinstance(got, str):
        return NOTHING
    for text in (f"{got}Z", f"{got}T00:00:00Z", got.replace(" ", "T", 1) + "Z"):
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


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _taken(route: Route) -> Iterable[str]:
    return names(route.operation.body).keys() | names(route.operation.query).keys()
