"""The event loop: accepts connections, dispatches what is ready, closes what is overdue."""

import heapq
import selectors
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from sessionary.durations import monotonic
from sessionary.http_server.connection import Connection
from sessionary.http_server.limits import Limits, WaitingConnections
from sessionary.http_server.parser_config import ParserConfig
from sessionary.http_server.shutdown import Shutdown
from sessionary.http_server.wakeup import Wakeup

_TICK_SECONDS = 1.0  # between two looks for overdue clients, and two heartbeats
_MAX_TIMERS = 4  # per turn, so that many that are due together do not keep clients waiting


@dataclass(order=True)
class _Timer:
    due: float
    number: int
    callback: Callable[[], Any] = field(compare=False)


class EventLoop:
    """Runs on one thread; `stop` and `quit` may be called from any, or from a signal handler."""

    def __init__(
        self, listeners: Sequence[socket.socket], limits: Limits, parser_config: ParserConfig
    ) -> None:
        self.limits = limits
        self.poller = selectors.DefaultSelector()
        self.waiting = WaitingConnections(limits)
        self._listeners = listeners
        self._parser_config = parser_config
        self._wakeup = Wakeup()
        self.call_soon = self._wakeup.call_soon
        self.shutdown = Shutdown()
        self.open: set[Connection] = set()
        self._timers: list[_Timer] = []  # a heap
        self._timer_numbers = count()
        self._is_accepting = False
        self._swept_at = 0.0
        self._notified_at = 0.0
        self._heartbeat: Callable[[], Any] = bool

    def stop(self) -> None:
        """Finish what is in flight, within `SHUTDOWN_SECONDS`."""
        self.shutdown.request()
        self.call_soon(bool)

    def quit(self) -> None:
        """Finish what the loop's thread does now, and nothing else."""
        self.shutdown.request(at_once=True)
        self.call_soon(bool)

    def run_until_stopped(self, heartbeat: Callable[[], Any]) -> None:
        """Serve until `stop` or `quit`; `heartbeat` is called about every second."""
        self._heartbeat = heartbeat
        self.poller.register(self._wakeup.reader, selectors.EVENT_READ, self._wakeup.run_callbacks)
        while not self.shutdown.is_requested:
            self._accept_new(len(self.open) < self.limits.max_connections)
            self._turn(_TICK_SECONDS)
        self._accept_new(False)
        if not self.shutdown.is_over():
            self._turn(0)  # receive what was sent before
        for each in self.waiting.unused():
            self.drop(each)
        self.waiting.stop()
        while self.open and not self.shutdown.is_over():
            self._turn(self.waiting.seconds_to_next())
            if self.shutdown.has_reading_ended():
                for each in self.open:
                    each.shutdown_read()
        self.poller.close()
        self._wakeup.close()
        for listener in self._listeners:
            listener.close()

    def _turn(self, seconds: float) -> None:
        self.notify()
        for key, _ in self.poller.select(min(seconds, self._seconds_to_timer())):
            key.data(key.fileobj)
        for _ in range(_MAX_TIMERS):
            if self._seconds_to_timer() > 0:
                break
            heapq.heappop(self._timers).callback()
        self._drop_expired()

    def call_later(self, seconds: float, callback: Callable[..., Any], *args: Any) -> None:
        """Call it in so many seconds, or when the server stops; on the loop's thread only."""
        due = monotonic() + seconds
        timer = _Timer(due, next(self._timer_numbers), partial(callback, *args))
        heapq.heappush(self._timers, timer)

    def _seconds_to_timer(self) -> float:
        if not self._timers:
            return _TICK_SECONDS
        return 0.0 if self.shutdown.is_requested else max(0.0, self._timers[0].due - monotonic())

    def notify(self) -> None:
        """Call the heartbeat, but not for each request."""
        now = monotonic()
        if not self._notified_at or now >= self._notified_at + _TICK_SECONDS:
            self._notified_at = now
            self._heartbeat()

    def _accept_new(self, enabled: bool) -> None:
        if enabled == self._is_accepting:
            return
        self._is_accepting = enabled
        for listener in self._listeners:
            if enabled:
                listener.setblocking(False)
                self.poller.register(listener, selectors.EVENT_READ, self._accept)
            else:
                self.poller.unregister(listener)

    def _accept(self, listener: Any) -> None:
        """Accept new clients, several at once: they are the ones who have waited longest."""
        for _ in range(self.limits.accept_batch):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # this process, or the machine, is out of file descriptors
                self.drop(self.waiting.least_useful())
                return
            if len(self.open) + 1 >= self.limits.max_connections:
                self.drop(self.waiting.least_useful())
            connection = Connection(sock, peer, self._parser_config)
            self.open.add(connection)
            self.begin(connection)

    def begin(self, connection: Connection) -> None:
        """Serve a new connection."""
        raise NotImplementedError

    def _drop_expired(self) -> None:
        now = monotonic()
        if not self.shutdown.is_requested and now < self._swept_at + _TICK_SECONDS:
            return
        self._swept_at = now
        for each in self.waiting.expired(now):
            self.drop(each)

    def drop(self, connection: Connection | None) -> None:
        """Close a waiting connection, if there is one."""
        if connection is not None:
            self.waiting.remove(connection)
            connection.announce_close()
            self.unwatch_and_close(connection)

    def unwatch_and_close(self, connection: Connection) -> None:
        self.poller.unregister(connection.sock)
        self.close(connection)

    def close(self, connection: Connection) -> None:
        self.open.remove(connection)
        connection.close()
