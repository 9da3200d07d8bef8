"""What differs between the active namespace and another one at one instant."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from sessionary import clock, store
from sessionary.control.errors import ApiError
from sessionary.store import Namespace
from sessionary.web.as_of import read_at
from sessionary.web.surface import Surface

_ALL = -1  # no LIMIT


class StatusDifference(NamedTuple):
    """A session and its status in both namespaces; None where it does not exist."""

    surface: str
    id: str
    here: str | None
    there: str | None


def compare(surfaces: Sequence[Surface], other: Namespace, at: int) -> Iterator[StatusDifference]:
    """Yield the differences in order of creation here, then there.

    Raises Invalid if the other one's history begins later.
    """
    with _reading(other):
        there = _statuses(surfaces, read_at(at, clock.now()))
    here = _statuses(surfaces, at)
    for place in dict.fromkeys((*here, *there)):
        statuses = here.get(place), there.get(place)
        if statuses[0] != statuses[1]:
            yield StatusDifference(*place, *statuses)


def _statuses(surfaces: Sequence[Surface], at: int) -> dict[tuple[str, str], str]:
    """Return the status of each session at an instant, by surface and id."""
    return {
        (surface.name, surface.sessions.id(row)): surface.sessions.status(row, at)
        for surface in surfaces
        if surface.sessions.lanes is not None
        for _, _, row in surface.sessions.lanes.now.rows(place=0, limit=_ALL)
    }


@contextmanager
def _reading(other: Namespace) -> Iterator[None]:
    """Activate a namespace in the block, or a copy of one in memory: others need its connection.

    Two recorded namespaces that wait for each other would wait for good. Raises ApiError.
    """
    if not other.is_in_memory:
        with other.activate():
            yield
        return
    with other.lock_if_free() as is_free:
        if not is_free and store.current_namespace().recording is not None:
            raise ApiError(409, f"namespace {other.name!r} is busy: try again")
        with other.activate_briefly():
            copy = other.copy()
    with closing(copy), copy.activate():
        yield
