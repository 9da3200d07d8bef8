"""An item of a test for each side of every transition of a session."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from sessionary.client.responses import Transition
from sessionary.client.times import from_text
from sessionary.testing.namespace import Namespace

__tracebackhide__ = True  # pytest leaves the frames of this module out
Session = str | Callable[[Namespace], str]
_SIDES = {-1: ("before", "1 µs before"), 0: ("at", "at"), 1: ("after", "1 µs after")}


@dataclass(frozen=True)
class Boundary:
    """The instant of one item: `offset` microseconds from a transition of a session."""

    session: str
    transition: Transition
    offset: int
    at: datetime

    @property
    def status(self) -> str:
        """The status of the session, or of its part that changes, at this instant."""
        return self.transition["from_status"] if self.offset < 0 else self.transition["to_status"]

    @property
    def part(self) -> str | None:
        """The id of the part that changes; None for the session itself."""
        return self.transition["part"]

    def __str__(self) -> str:
        instant = f"{_SIDES[self.offset][1]} {self.transition['at']}"
        part = f"part {self.part} of " if self.part else ""
        return f"{instant}, the transition {_change(self.transition)} of {part}{self.session}"


def sessionary_boundaries(session: Session) -> Callable[[Any], Any]:
    """Make three items of a test: 1 µs before, at and 1 µs after each transition of a session.

    `session` is an id, or a function that opens a session in a namespace and returns its id. It
    is called once while tests are collected, to find the transitions, and once in each item. The
    fixture `boundary` is the Boundary of an item.
    """

    if callable(session) and "boundary" in inspect.signature(session).parameters:
        raise TypeError(
            "write @sessionary_boundaries(session) with the id of a session or a function that "
            "opens one and returns its id"
        )

    def decorate(test: Any) -> Any:
        if "boundary" not in inspect.signature(test).parameters:
            test = pytest.mark.usefixtures("boundary")(test)
        return pytest.mark.sessionary_boundaries.with_args(session)(test)

    return decorate


@dataclass(frozen=True)
class Side:
    """What an item knows from the collection: its place among the session's transitions."""

    session: Session
    changes: Sequence[str]
    index: int
    offset: int

    def open(self, namespace: Namespace) -> Boundary:
        """Open the session and freeze the clock. Fails if its transitions are others."""
        session, transitions = _open(namespace, self.session)
        changes = [_change(each) for each in transitions]
        if changes != self.changes:
            pytest.fail(
                "when tests were collected the session had the transitions "
                f"{', '.join(self.changes)}, now it has {', '.join(changes)}: open the same "
                "session each time, in a double with the settings of sessionary_settings",
                pytrace=False,
            )
        transition = transitions[self.index]
        at = from_text(transition["at"]) + timedelta(microseconds=self.offset)
        namespace.clock.freeze(at)
        return Boundary(session, transition, self.offset, at)


@dataclass(frozen=True)
class NotOpened:
    """The one item of a test, after an error while its session was opened in the collection."""

    error: BaseException

    def open(self, _: Namespace) -> Boundary:
        """Raise the error of the collection."""
        raise self.error


def find_sides(namespace: Namespace, session: Session) -> dict[str, Side]:
    """Open a session in a namespace for this; return its sides by the ids of their items."""
    _, transitions = _open(namespace, session)
    changes = [_change(each) for each in transitions]
    return {
        f"{name}-{_SIDES[offset][0]}": Side(session, changes, index, offset)
        for index, name in enumerate(_names(transitions))
        for offset in _SIDES
    }


def _open(namespace: Namespace, session: Session) -> tuple[str, list[Transition]]:
    id = session if isinstance(session, str) else session(namespace)
    if not isinstance(id, str):
        pytest.fail(
            f"{getattr(session, '__name__', session)}, a function of sessionary_boundaries, must "
            f"return the id of a session, not {id!r}",
            pytrace=False,
        )
    namespace.keep_open()
    transitions = namespace.explain(id)["next_transitions"]
    if not transitions:
        pytest.fail(f"session {id} has no coming transitions to test", pytrace=False)
    return id, transitions


def _names(transitions: Sequence[Transition]) -> Iterator[str]:
    """Name transitions by their rules, and number those with the same name."""
    rules = ["part-" * (each["part"] is not None) + each["rule"] for each in transitions]
    for index, rule in enumerate(rules):
        yield rule if rules.count(rule) == 1 else f"{rule}-{rules[: index + 1].count(rule)}"


def _change(transition: Mapping[str, Any]) -> str:
    return f"{transition['from_status']} -> {transition['to_status']} ({transition['rule']})"
