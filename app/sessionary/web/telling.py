"""What a surface can tell of its sessions: what each one is, since when, why, and what comes."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sessionary.store import Model


class Transition(Protocol):
    """An instant at which a session changes by itself: `at` is the first of the new state.

    `deadline` is shown as the end, `part` is the id of the part that changes, or None for the
    session itself. Each surface has a transition of its own, in its rules.
    """

    @property
    def at(self) -> int: ...
    @property
    def deadline(self) -> int: ...
    @property
    def from_status(self) -> str: ...
    @property
    def to_status(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def part(self) -> str | None: ...


class Explanation(NamedTuple):
    """Why a session is what it is at an instant.

    `since_at` is the earliest instant from which on its row proves the status. `inputs` are the
    rule's inputs by the names they have in the row; those that end in `_at` are instants, and so
    in the facts of parts, of which there are lists. `unless` says what would have kept it in
    its former state, or what will keep it.
    """

    status: str
    since_at: int
    rule: str
    reason: str
    inputs: Mapping[str, Any]
    unless: str | None
    source: str  # where the rule is said: `Source: …` or `Assumed: …`


class NotForced(Exception):
    """A session that cannot be brought into this state; the message says why."""


def origin(rule: Callable[..., Any]) -> str:
    """What a rule's docstring says of where it comes from: from `Source:` or `Assumed:` on."""
    text = " ".join((inspect.getdoc(rule) or "").split())
    starts = [place for mark in ("Source:", "Assumed:") if (place := text.find(mark)) >= 0]
    return text[min(starts) :] if starts else ""


@dataclass(frozen=True)
class SessionQueries:
    """A surface's sessions, whoever owns them, for those who may ask about any.

    A session is the surface's own value: a row with its parts.
    """

    find: Callable[[str], Any | None]  # by id
    # A page in the order of creation: those behind a place (0 at first), at most so many.
    page: Callable[[int, int], list[tuple[int, Any]]]
    # Those with a transition behind the first instant and not behind the second, at most so many.
    changing: Callable[[int, int, int], list[Any]]
    id: Callable[[Any], str]
    transitions: Callable[[Any], Sequence[Transition]]  # in order
    explain: Callable[[Any, int], Explanation]
    is_open: Callable[[Any, int], bool]  # whether its owner has still to end it
    # How many there are in each state at an instant; the engine counts, no row is loaded.
    counts: Callable[[int], Mapping[str, int]]
    # By the state that only the vendor could cause: brings a session into it, at an instant, for a
    # reason, within the transaction that found it. Raises NotForced, and then has written nothing.
    forced_states: Mapping[str, Callable[[Any, int, str], None]] = field(default_factory=dict)
    # In each table, the column that names the session which a row belongs to.
    session_columns: Mapping[type[Model], str] = field(default_factory=dict)


NO_SESSIONS = SessionQueries(
    find=lambda _: None,
    page=lambda *_: [],
    changing=lambda *_: [],
    id=str,
    transitions=lambda _: (),
    explain=lambda *_: Explanation("", 0, "", "", {}, None, ""),
    is_open=lambda *_: False,
    counts=lambda _: {},
)
