"""What the control plane answers with; instants are text such as `2026-03-01T12:00:00.000000Z`."""

from typing import Any, TypedDict


class ClockState(TypedDict):
    """A clock: its mode, what it shows, what the wall shows, its seconds in one of the wall's."""

    mode: str
    now: str
    wall: str
    rate: float


class Namespace(TypedDict):
    """A world."""

    name: str
    clock: ClockState


class Edge(TypedDict):
    """An instant at which a session, or its part, changes by itself."""

    at: str
    deadline: str
    surface: str
    session: str
    part: str | None
    before: str
    after: str
    rule: str


class Timeline(TypedDict):
    """Edges in order; `is_cut` says that there are more."""

    now: str
    edges: list[Edge]
    is_cut: bool


class Summary(TypedDict):
    """What a session is, since when, and what comes next."""

    surface: str
    id: str
    status: str
    since: str
    next: Edge | None


class Explanation(TypedDict):
    """Why a session is what it is at an instant; `facts` are the rule's inputs."""

    surface: str
    id: str
    at: str
    status: str
    since: str
    rule: str
    says: str
    facts: dict[str, Any]
    otherwise: str | None
    rests_on: str
    next: list[Edge]
