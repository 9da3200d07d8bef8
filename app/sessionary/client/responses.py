"""The JSON of the control plane. Instants are text such as `2026-03-01T12:00:00.000000Z`."""

from typing import Any, TypedDict


class ClockState(TypedDict):
    """A clock: mode, time, real time, and seconds per real second."""

    mode: str
    now: str
    wall_time: str | None  # None where ids have a seed
    rate: float


class Namespace(TypedDict):
    """A namespace with its clock."""

    name: str
    clock: ClockState


class Transition(TypedDict):
    """An instant at which a session, or a part of it, changes by itself."""

    at: str
    deadline: str
    surface: str
    session: str
    part: str | None
    from_status: str
    to_status: str
    rule: str


class Timeline(TypedDict):
    """Transitions in order; `truncated` if there are more."""

    now: str
    transitions: list[Transition]
    truncated: bool


class SessionSummary(TypedDict):
    """A session: status, since when, whether its owner still has to end it, next transition."""

    surface: str
    id: str
    title: str
    status: str
    since: str
    open: bool
    next_transition: Transition | None


class Explanation(TypedDict):
    """Why a session has its status at an instant; `inputs` are the inputs of the rule."""

    surface: str
    id: str
    at: str
    status: str
    since: str
    rule: str
    reason: str
    inputs: dict[str, Any]
    unless: str | None
    source: str
    next_transitions: list[Transition]


_Window = TypedDict("_Window", {"from": str | None, "to": str | None})


class Fault(_Window):
    """An armed fault: the calls it matches, its effect, its limits, and its hits."""

    id: int
    surface: str
    method: str | None
    route: str | None
    kind: str
    phase: str
    preset: str | None
    status: int | None
    headers: dict[str, str]
    body: dict[str, Any] | None
    delay: str | None
    times: int | None
    after: int
    probability: float
    seed: int
    matched_count: int
    hit_count: int
    spent: bool


class Preset(TypedDict):
    """A known failure of a vendor."""

    surface: str
    name: str
    status: int
    headers: dict[str, str]
    body: dict[str, Any]
    source: str


class _VendorCall(TypedDict):
    at: str
    surface: str | None
    method: str
    path: str
    route: str | None
    caller: dict[str, str | None] | None
    status: int | None
    response: Any
    fault: dict[str, Any] | None


class Call(_VendorCall):
    """A recorded vendor call; `status` is None if a fault dropped the connection."""

    id: int
    wall_time: str | None  # None where ids have a seed
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any
    body_bytes: int
    body_truncated: bool
    response_bytes: int
    response_truncated: bool
    session: str | None


class RequestExplanation(_VendorCall):
    """Everything that is wrong with a request, and its ignored fields."""

    operation: str | None
    violations: list[dict[str, Any]]
    ignored: list[dict[str, Any]]
    note: str | None


class Change(TypedDict):
    """A change of a session or its part; `cause` is `call` or `time`. A new one had no status."""

    at: str
    surface: str
    session: str
    part: str | None
    cause: str
    call: str | None
    rule: str | None
    from_status: str | None
    to_status: str | None


class Diff(TypedDict):
    """Changes in order; `truncated` if there are more."""

    changes: list[Change]
    truncated: bool
