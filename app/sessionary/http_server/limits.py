"""Deadlines of clients, and caps on open connections and memory."""

import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from sessionary.durations import monotonic as monotonic

if TYPE_CHECKING:
    from sessionary.http_server.connection import Connection

LINGER_SECONDS = 2.0  # for a client to read its last response and close
_MAX_LARGE_BYTES = 48 * 1024 * 1024  # of all connections that are large
_STALL_SECONDS = 1.0
_MIN_CONNECTIONS, _MAX_CONNECTIONS = 16, 2000  # of a process
_OPEN_FILES, _OWN_FILES, _FILES_PER_THREAD = 4096, 100, 4


def raise_open_files() -> None:
    """Raise this process's limit of open files as far as connections need it and it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, _OPEN_FILES)), hard))


def max_connections(threads: int) -> int:
    """Return the number of connections for which this process may open files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fitting = files - _OWN_FILES - _FILES_PER_THREAD * threads
    return max(_MIN_CONNECTIONS, min(_MAX_CONNECTIONS, fitting))


class Upload(NamedTuple):
    """Requests with a body that the application reads as it arrives, and its largest size."""

    request_line: re.Pattern[bytes]  # how such a request begins
    max_bytes: int


@dataclass(frozen=True)
class Limits:
    """Limits of one server process."""

    threads: int  # for requests of unknown length
    max_connections: int
    max_body_bytes: int  # the application refuses a longer body unread
    client_timeout_seconds: float  # per handshake, request, and reading of a response
    keepalive_seconds: float = 65  # longer than clients keep an idle connection: they close first
    processes: int = 1  # that share the listening sockets
    upload: Upload | None = None

    @property
    def accept_batch(self) -> int:
        """New connections per turn of the loop; several processes leave some to each other."""
        return 16 if self.processes == 1 else 1


class WaitingConnections:
    """The connections that wait for their client, oldest first, each with a deadline."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: dict[Connection, None] = {}
        self.is_stopping = False
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, connection: "Connection") -> None:
        """Wait for this client until `connection.due`, or as an idle one."""
        now = monotonic()
        due = connection.due
        idle_seconds = inf if connection.websocket else self._limits.keepalive_seconds
        connection.expires_at = now + idle_seconds if due is None else due
        if connection.is_leaving or self.is_stopping:
            connection.expires_at = min(connection.expires_at, now + LINGER_SECONDS)
        self._waiting[connection] = None

    def remove(self, connection: "Connection") -> None:
        del self._waiting[connection]

    def expired(self, now: float) -> "list[Connection]":
        return [each for each in self._waiting if each.expires_at <= now]

    def stop(self) -> None:
        """Shorten all deadlines, from now on."""
        self.is_stopping = True
        last = monotonic() + LINGER_SECONDS
        for each in self._waiting:
            each.expires_at = min(each.expires_at, last)

    def unused(self) -> "list[Connection]":
        """Return the connections with nothing in flight: neither a request nor a response."""
        return [each for each in self._waiting if each.is_unused()]

    def seconds_to_next(self) -> float:
        """Return the time until the next deadline, at most 1 second."""
        now = monotonic()
        return max(0.0, min((each.expires_at - now for each in self._waiting), default=1.0))

    def least_useful(self) -> "Connection | None":
        """Return the oldest one; first those that have not completed a request, then WebSockets."""
        idle = (each for each in self._waiting if each.websocket)
        return next(self._not_idle(), next(idle, next(iter(self._waiting), None)))

    def _not_idle(self) -> "Iterator[Connection]":
        return (each for each in self._waiting if not each.is_idle())

    def over_memory(self, connection: "Connection") -> "Connection | None":
        """Return the oldest large connection if, with this one, they hold too many bytes."""
        large = self._large() if connection.is_large else []
        total = sum(each.memory_bytes() for each in (connection, *large))
        return large[0] if large and total > self._max_bytes else None

    def _large(self) -> "list[Connection]":
        return [each for each in self._waiting if each.is_large]

    def count_held(self, connection: "Connection", count: int) -> None:
        """Count the bytes of a request that waits for a thread or a delay."""
        self._held_bytes += count - connection.held_bytes
        connection.held_bytes = count

    def must_pause(self, connection: "Connection") -> bool:
        """Return whether no more of a large request is received, since too many bytes are held.

        The request of which most was received goes on, so that requests end one after another.
        """
        if self.is_stopping or not connection.is_large:
            return False
        large = self._large()
        total = self._held_bytes + sum(each.memory_bytes() for each in large)
        is_first = connection is max(large, key=lambda each: len(each.received))
        has_time = monotonic() < connection.expires_at - self._limits.client_timeout_seconds / 2
        is_half_full = total > self._max_bytes / 2
        return self._held_bytes > self._max_bytes or (is_half_full and has_time and not is_first)

    def stalled(self) -> "list[Connection]":
        """Return the connections whose clients have stopped in the middle of a large request."""
        before = monotonic() - _STALL_SECONDS
        return [each for each in self._large() if each.active_at < before and not each.has_unsent()]

    @property
    def _max_bytes(self) -> int:
        return max(_MAX_LARGE_BYTES, 2 * self._limits.max_body_bytes)
