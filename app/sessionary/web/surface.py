"""The contract of a vendor's API: the Surface value, and the types that it is built from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from types import ModuleType
from typing import Any, Literal, NamedTuple, Protocol, get_args

from flask import Blueprint
from marshmallow import Schema

from sessionary.settings import Declarations
from sessionary.store import Batch, Migration, Model, RowStates, Statement
from sessionary.web.sdk import Sdk


class Transition(Protocol):
    """An instant at which a session changes by itself; each surface's rules have their own type.

    `at` is the first instant of the new state, `deadline` the one shown as the end. `part` is the
    id of the part that changes, or None for the session itself.
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
    """The status of a session at an instant, and the reason for it.

    `since_at` is the instant at which the status began. `inputs` are the rule's inputs by their
    names in the row, with parts as lists; names in `_at` are instants. `unless` says what would
    have kept the former state, or what will keep this one.
    """

    status: str
    since_at: int
    rule: str
    reason: str
    inputs: Mapping[str, Any]
    unless: str | None
    source: str  # `Source: …` or `Assumed: …`


# What a status means, whoever the vendor is. The first three are those of an open session, which
# its owner still has to end: `held` has resources allocated, `empty` has none yet.
Meaning = Literal["open", "held", "empty", "timed_out", "closed", "failed"]
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)


class NotForced(Exception):
    """A session that cannot be put into this state; the message says why."""


@dataclass(frozen=True)
class SessionQueries:
    """Reads of all sessions of a surface, whatever their owner.

    A session is the surface's own value: a row with its parts.
    """

    find: Callable[[str], Any | None]  # by id
    # page(after, limit): sessions with their places in the order of creation, after a place.
    page: Callable[[int, int], Iterable[tuple[int, Any]]]
    # changing(after, until, limit): sessions with a transition in (after, until], each with its
    # place, soonest first, ties in order of creation.
    changing: Callable[[int, int, int], Iterable[tuple[int, Any]]]
    id: Callable[[Any], str]
    transitions: Callable[[Any], Sequence[Transition]]  # in order
    explain: Callable[[Any, int], Explanation]
    status: Callable[[Any, int], str]  # at an instant, as `explain` has it
    statuses: Mapping[str, Meaning]
    counts: Callable[[int], Mapping[str, int]]  # by status at an instant, counted by the database
    # The sessions and their earlier states, without their parts and without what is large.
    lanes: RowStates[Any] | None = None
    # The instant at which a call gave it the status that it has before its transitions.
    began_at: Callable[[Any], int] = attrgetter("status_since_at")
    title: Callable[[Any], str] = lambda _: ""  # what its owner calls it
    # By a status that only the vendor can cause: force(session, at, reason), inside the
    # transaction that found the session. Raises NotForced and then has written nothing.
    forced_states: Mapping[str, Callable[[Any, int, str], None]] = field(default_factory=dict)
    # For each table with rows of a session: the column with the session's id.
    session_columns: Mapping[type[Model], str] = field(default_factory=dict)

    def is_open_status(self, status: str) -> bool:
        """Whether the owner of a session with this status still has to end it."""
        return self.statuses[status] in MEANINGS[:3]

    def is_open(self, session: Any, at: int) -> bool:
        """Whether its owner still has to end a session."""
        return self.is_open_status(self.status(session, at))


NO_SESSIONS = SessionQueries(
    find=lambda _: None,
    page=lambda *_: [],
    changing=lambda *_: [],
    id=str,
    transitions=lambda _: (),
    explain=lambda *_: Explanation("", 0, "", "", {}, None, ""),
    status=lambda *_: "",
    statuses={},
    counts=lambda _: {},
)


@dataclass(frozen=True)
class Retention:
    """Queries that find and remove sessions that ended long ago, with the rows of their parts.

    `ended` takes `before_at`, `after`, `until` and `limit`: keys, in order, of sessions that ended
    before that instant, from after one key up to another. `last` is the last key of all sessions,
    or 0. `remove(keys, before_at)` runs inside a transaction, removes those that still qualify and
    returns their number.
    """

    ended: Statement[int]
    last: Statement[int]
    remove: Callable[[list[int], int], int]


class SeedRows:
    """The loaded rows of a table, each with the instant at which its key was first applied.

    `now` is the namespace's time; `number` is the place, from 1, at which an iteration stopped.
    """

    def __init__(self, rows: Sequence[tuple[dict[str, Any], int]], now: int) -> None:
        self.now = now
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[tuple[dict[str, Any], int]]:
        for self.number, row in enumerate(self._rows, 1):  # noqa: B020 - read after an error
            yield row

    def __len__(self) -> int:
        return len(self._rows)

    def values(self, name: str) -> set[Any]:
        """Return the values of a field that are not None."""
        return {row[name] for row, _ in self._rows} - {None}


@dataclass(frozen=True, eq=False)
class SeedTable:
    """A table of the seed file, and the function that plans the writes for its loaded rows.

    `plan(rows, batch)` runs before the transaction, after the plans of earlier tables. It raises
    BadRow. It changes no loaded row: when others have written what it rests on, it runs again.
    """

    name: str
    schema: Schema
    plan: Callable[[SeedRows, Batch], None]
    key: str = "id"


class FaultPreset(NamedTuple):
    """A failure that the vendor is known for: status, body, and the source for both."""

    status: int
    body: Mapping[str, Any]
    source: str  # `Source: …` or `Assumed: …`


def retry_after(milliseconds: int) -> dict[str, str]:
    """The `Retry-After` header: whole seconds, rounded up."""
    return {"Retry-After": str(-(-milliseconds // 1000))}


class MessageFormat(NamedTuple):
    """The messages of a surface's WebSockets.

    `read(message)` returns method and parameters. `error(message, status, body)` returns what is
    sent instead of an HTTP response.
    """

    routes: frozenset[str]  # names of methods, which faults match like routes
    read: Callable[[bytes], tuple[str | None, Any]]
    error: Callable[[bytes, int, bytes], dict[str, Any]]


@dataclass(frozen=True)
class Surface:
    """One vendor's API: mounted under `/<name>`, and its root blueprints at the root as well."""

    sdk: Sdk
    title: str
    blueprints: tuple[Blueprint, ...]
    root_blueprints: tuple[Blueprint, ...]
    root_segments: frozenset[str]  # first segments of the root paths that are this vendor's
    tables: tuple[type[Model], ...]
    example: str  # curl's arguments for a first call, with {url} and {key}
    authenticate: Callable[[], None]
    error_body: Callable[[int, str], dict[str, Any]]  # for errors of HTTP, such as 404
    error_schemas: Mapping[int, Schema]  # by status, for OpenAPI
    sessions: SessionQueries
    settings: type[Any] | None = None  # a frozen dataclass; a field `x` is the setting `<name>_x`
    # Whether a path is this surface's, though its first segment is another surface's:
    # claims_root_path(environ, path).
    claims_root_path: Callable[[Mapping[str, Any], str], bool] | None = None
    migrations: Mapping[int, Migration] = field(default_factory=dict)  # by the version they make
    # By the same version: the SQL of each table and index that its migration changes, as it was
    # before; None if there was none.
    earlier_sql: Mapping[int, Mapping[str, str | None]] = field(default_factory=dict)
    retention: Retention | None = None
    seed_tables: tuple[SeedTable, ...] = ()
    devices: ModuleType | None = None  # for `sessionary devices`
    first_rows: Callable[[], None] | None = None  # writes what every new database holds
    # Python code or shell lines for a first call by the vendor's client, with {url} and {key}.
    sdk_examples: Mapping[str, str] = field(default_factory=dict)
    session_key: str = "id"  # the name of a session's id in bodies
    fault_presets: Mapping[str, FaultPreset] = field(default_factory=dict)
    retry_headers: Callable[[int], dict[str, str]] = retry_after  # for a wait in milliseconds
    retry_statuses: frozenset[int] = frozenset()  # faults with these statuses carry retry_headers
    openapi_at_root: bool = False
    messages: MessageFormat | None = None
    error_content_type: str = "application/json"
    security: Mapping[str, str] = field(
        default_factory=lambda: {"type": "http", "scheme": "bearer"}
    )
    header_parameters: tuple[Mapping[str, Any], ...] = ()  # of every call, for OpenAPI
    journal_headers: tuple[str, ...] = ()  # recorded in addition to header_parameters

    @property
    def name(self) -> str:
        """The name of its package, and of its prefix in paths and settings."""
        return self.sdk.surface

    @property
    def key_prefix(self) -> str:
        """The prefix of created keys."""
        return self.sdk.key_prefix


def declared_settings(surfaces: Sequence[Surface]) -> Declarations:
    """The classes that declare the surfaces' settings, by surface name."""
    return {each.name: each.settings for each in surfaces if each.settings is not None}
