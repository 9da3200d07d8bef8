"""Changes of sessions between two instants: by the writes in the undo log, and by time between."""

from bisect import insort
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from sessionary import store
from sessionary.control import timeline
from sessionary.store import Model, Statement, param, rowid
from sessionary.store.connections import Position
from sessionary.store.undo_log import SessionWrite, after_write, position_at, reading
from sessionary.web.surface import Surface

_BY_TIME, _BY_CALL = 0, 1


class StatusChange(NamedTuple):
    """A change by a call or by a rule.

    `order` is that among the changes at one `at`: those by time come first, then those by calls. A
    call that was made later than `at`, before the clock was moved back, has its own instant in
    `shown_at`.
    """

    at: int
    order: tuple[int, ...]
    shown_at: int
    surface: str
    session: str
    part: str | None
    call: str | None
    rule: str | None
    from_status: str | None
    to_status: str | None


def find_changes(
    surfaces: Sequence[Surface], after: int, until: int, now: int, limit: int
) -> list[StatusChange]:
    """List the first changes after one instant and up to another, in order.

    `now` is the instant that the namespace is read at: changes after it are those by time. Each
    write of a session is a change, so that no more than `limit` writes are looked at.
    """
    writes, is_all = _find_writes(surfaces, after, min(until, now), limit)
    end = position_at(until) if until < now else None  # after it, nothing has been written
    if not is_all:
        last = max((each[-1] for each in writes.values()), key=lambda each: (each.at, each.no))
        # Other sessions that it wrote may not be among these, nor further writes of its instant.
        until, end = last.at, after_write(last.at, last.no - 1)
    found: list[StatusChange] = []
    for number, surface in enumerate(surfaces):
        search = _Search(surface, number, after, until, limit)
        written = {id: mine for (name, id), mine in writes.items() if name == surface.name}
        for id, mine in written.items():
            found += search.of_writes(id, mine)
        found += search.by_time_only(written.keys(), end)
    return sorted(found, key=lambda change: (change.at, change.order))[:limit]


def _find_writes(
    surfaces: Sequence[Surface], after: int, until: int, limit: int
) -> tuple[dict[tuple[str, str], list[SessionWrite]], bool]:
    """Return the first writes of each surface and session, and whether those are all."""
    owners = {
        table._meta.table_name: surface.name
        for surface in surfaces
        for table in surface.sessions.session_columns
    }
    row_limit = 4 * limit
    while True:
        rows = store.undo_log.session_writes(after, until, row_limit)
        writes: dict[tuple[str, str], list[SessionWrite]] = {}
        count = 0
        for row in rows:
            mine = writes.setdefault((owners[row.table_name], row.session), [])
            if mine and (mine[-1].at, mine[-1].no) == (row.at, row.no):
                continue  # another row of the session
            mine.append(row)
            count += 1
            if count == limit:
                return writes, False
        if len(rows) < row_limit:
            return writes, True
        row_limit *= 4  # writes of many rows


class _Search:
    """A search for the changes of a surface's sessions."""

    def __init__(self, surface: Surface, number: int, after: int, until: int, limit: int) -> None:
        self._surface = surface
        self._number = number
        self._after = after
        self._until = until
        self._limit = limit

    def of_writes(self, id: str, writes: list[SessionWrite]) -> Iterator[StatusChange]:
        """Yield the changes of a session by these writes, and by time before and after each."""
        find, begin = self._surface.sessions.find, self._after
        with reading(after_write(writes[0].at, writes[0].no - 1)):
            session = find(id)
        for write in writes:
            yield from self._by_time(session, begin, write.at)
            before = self._status(session, write.at)
            with reading(after_write(write.at, write.no)):
                session = find(id)
            statuses = before, self._status(session, write.at)
            order = _BY_CALL, write.no, write.seq
            names = self._surface.name, id, None, write.call, None
            yield StatusChange(write.at, order, write.shown_at, *names, *statuses)
            begin = write.at
        yield from self._by_time(session, begin, self._until)

    def by_time_only(self, written: Collection[str], end: Position | None) -> list[StatusChange]:
        """Return the first changes by time of the sessions that no call changed."""
        found: list[StatusChange] = []
        instants: list[int] = []
        done = set(written)
        for due_at, id, session in self._candidates(len(written)):
            if len(found) >= self._limit and instants[self._limit - 1] < due_at:
                break
            if id not in done:
                done.add(id)
                is_current = session is not None and end is None
                last = session if is_current else self._find_at(end, id)
                for change in self._by_time(last, self._after, self._until):
                    found.append(change)
                    insort(instants, change.at)
        return found

    def _candidates(self, written_count: int) -> Iterator[tuple[int, str, Any]]:
        """Yield sessions that may change by time: as they are, then those changed since."""
        sessions, limit = self._surface.sessions, self._limit + written_count
        for _, session in sessions.changing(self._after, self._until, limit):
            yield 0, sessions.id(session), session
        names = {table._meta.table_name for table in sessions.session_columns}
        for due_at, name, id in store.undo_log.due_sessions(self._after, self._until):
            if name in names:
                yield due_at, id, None

    def _find_at(self, end: Position | None, id: str) -> Any:
        if end is None:
            return self._surface.sessions.find(id)
        with reading(end):
            return self._surface.sessions.find(id)

    def _by_time(self, session: Any, after: int, until: int) -> Iterator[StatusChange]:
        if session is None:
            return
        coming = timeline.of_session(self._surface, session, after, until)
        for part, (name, id, each) in enumerate(coming):
            order = _BY_TIME, self._number, _place(self._surface, id), part
            names = name, id, each.part, None, each.rule
            yield StatusChange(each.at, order, each.at, *names, each.from_status, each.to_status)

    def _status(self, session: Any, at: int) -> str | None:
        return None if session is None else self._surface.sessions.explain(session, at).status


def _place(surface: Surface, id: str) -> int:
    """Return the place of a session in the order of creation."""
    (table,) = (
        table for table, column in surface.sessions.session_columns.items() if column == "id"
    )
    with reading(None):
        return _key(table).one(id=id) or 0


@cache
def _key(table: type[Model]) -> Statement[int]:
    return Statement(
        lambda row: int(row[0]),
        lambda: table.select(rowid(table)).where(table._meta.fields["id"] == param("id")),
    )
