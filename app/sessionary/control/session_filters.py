"""Filters of sessions, and the places of pages of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from sessionary.control.blueprint import control
from sessionary.control.errors import ApiError
from sessionary.control.fields import StrictSchema
from sessionary.web.fields import QueryBoolean, Text
from sessionary.web.surface import Surface


class SessionFilters(StrictSchema):
    """One surface, a status, open or ended sessions, and a text in id, title or surface."""

    surface = Text(load_default=None)
    status = Text(load_default=None)
    open = QueryBoolean(load_default=None)
    q = Text(load_default=None)
    after = Text(load_default=None)


class Selection(NamedTuple):
    """What SessionFilters ask for: surfaces, and from where in them; None where all match."""

    surfaces: Sequence[Surface]  # from the first of the page on
    place: int  # in the first of them, after which the page begins
    status: str | None
    is_open: bool | None
    text: str | None

    @classmethod
    def of(cls, query: dict[str, Any]) -> Self:
        """Read a loaded query. Raises ApiError."""
        name, status, text = query["surface"], query["status"], query["q"]
        surfaces = control().surfaces if name is None else [control().surface(name)]
        if status is not None:
            _check_status(surfaces, status)
        first, place = _start(surfaces, query["after"])
        folded = None if text is None else text.casefold()
        return cls(surfaces[first:], place, status, query["open"], folded)

    @property
    def is_all(self) -> bool:
        """Whether every session of the surfaces matches."""
        return self.status is None and self.is_open is None and self.text is None

    def matches(self, surface: Surface, id: str, title: str, status: str | None) -> bool:
        """Whether a session matches; its status is None while it does not exist."""
        if self.status not in (None, status):
            return False
        is_open = status is not None and surface.sessions.is_open_status(status)
        if self.is_open is not None and (status is None or is_open is not self.is_open):
            return False
        found = (surface.name, id, title)
        return self.text is None or any(self.text in each.casefold() for each in found)


def _check_status(surfaces: Sequence[Surface], status: str) -> None:
    known = dict.fromkeys(each for surface in surfaces for each in surface.sessions.statuses)
    if status not in known:
        raise ApiError(400, f"status: must be one of {', '.join(known)}, not {status!r}")


def _start(surfaces: Sequence[Surface], after: str | None) -> tuple[int, int]:
    """Parse a page's `after`: the index of its first surface, and the place to start after."""
    if after is None:
        return 0, 0
    name, _, place = after.partition(":")
    names = [surface.name for surface in surfaces]
    if name not in names or not place.isascii() or not place.isdigit() or len(place) > 18:
        raise ApiError(400, "after: must be the `next` of the page before")
    return names.index(name), int(place)
