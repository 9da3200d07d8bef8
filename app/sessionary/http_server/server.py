"""Serves HTTP/1.1 on the event loop: from a handshake to a response that has been read."""

import selectors
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from sessionary.http_server.application import answer
from sessionary.http_server.connection import Connection
from sessionary.http_server.known_heads import KnownHeads
from sessionary.http_server.limits import Limits, monotonic
from sessionary.http_server.loop import EventLoop
from sessionary.http_server.outcome import Application, Outcome, Pending
from sessionary.http_server.parser_config import ParserConfig
from sessionary.http_server.sockets import BlockingSocket, BufferedSocket
from sessionary.http_server.websocket import (
    GOING_AWAY,
    Message,
    WebSocket,
    answer_message,
)
from sessionary.http_server.writer import Writer
from sessionary.web.held import Delay, Thread

AnySocket = BufferedSocket | BlockingSocket
_PAUSE_SECONDS = 0.05


class HttpServer(EventLoop):
    """Serves a WSGI application on sockets that listen."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        limits: Limits,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        config = ParserConfig(is_ssl=tls_context is not None, workers=limits.processes)
        super().__init__(listeners, limits, config)
        self._tls_context = tls_context
        self._heads = KnownHeads()
        # A slow client has one of these until its deadline.
        self._readers = ThreadPoolExecutor(limits.threads)
        self._writer = Writer()
        self._pools: dict[Thread, ThreadPoolExecutor] = {
            "pool": ThreadPoolExecutor(limits.threads),
            "control": ThreadPoolExecutor(limits.threads),
            "medium": ThreadPoolExecutor(2),
            "large": ThreadPoolExecutor(1),
        }
        self._application: Application

    def run(self, application: Application, heartbeat: Callable[[], Any] = bool) -> None:
        """Serve until `stop` or `quit`; `heartbeat` is called about every second."""
        self._application = application
        self.run_until_stopped(heartbeat)
        for each in self.open:
            each.abort()  # a thread that waits for its client goes on
        for pool in (self._readers, *self._pools.values()):
            pool.shutdown(cancel_futures=True)
        self._writer.shutdown()
        for each in self.open:
            each.close()

    def begin(self, connection: Connection) -> None:
        if self._tls_context is None:
            self._start_serving(connection)
            return
        try:
            connection.start_tls(self._tls_context)
        except OSError:
            self.close(connection)
            return
        self._start_deadline(connection)
        self.poller.register(
            connection.sock, selectors.EVENT_READ, partial(self._handshake, connection)
        )
        self.waiting.add(connection)

    def _start_deadline(self, connection: Connection) -> None:
        connection.due = monotonic() + self.limits.client_timeout_seconds

    def _start_serving(self, connection: Connection) -> None:
        self._watch(connection)
        self._serve(connection)

    def _watch(self, connection: Connection) -> None:
        """Call `_receive` when the client has sent something."""
        self.poller.register(
            connection.sock, selectors.EVENT_READ, partial(self._receive, connection)
        )

    def _handshake(self, connection: Connection, sock: Any) -> None:
        if connection.is_closed:
            return
        self.waiting.remove(connection)
        try:
            event = connection.handshake()
        except OSError:
            self.unwatch_and_close(connection)
            return
        if event:
            self.poller.modify(sock, event, partial(self._handshake, connection))
            self.waiting.add(connection)
            return
        connection.due = None
        self.poller.modify(sock, selectors.EVENT_READ, partial(self._receive, connection))
        self.waiting.add(connection)
        self._receive(connection, sock)

    def _receive(self, connection: Connection, _: Any) -> None:
        if connection.is_closed:  # dropped in this turn, after the poller reported it
            return
        if self.waiting.must_pause(connection):
            self._pause(connection)
            return
        data = connection.receive()
        if data is None:
            return
        self.waiting.remove(connection)
        if not data:
            self.unwatch_and_close(connection)
        elif connection.is_leaving:
            self.waiting.add(connection)
        else:
            connection.active_at = monotonic()
            connection.add_received(data)
            self.drop(self.waiting.over_memory(connection))
            self._serve(connection)

    def _pause(self, connection: Connection) -> None:
        """Receive nothing of this client for a moment; make room for it."""
        self.waiting.remove(connection)
        self.poller.unregister(connection.sock)
        self.call_later(_PAUSE_SECONDS, self._resume, connection)
        for each in self.waiting.stalled():
            self.drop(each)

    def _resume(self, connection: Connection) -> None:
        connection.active_at = monotonic()
        self._watch(connection)
        self.waiting.add(connection)

    def _serve(self, connection: Connection) -> None:
        """Answer one request if a complete one was received, then wait for more."""
        if connection.websocket is not None:
            self._serve_message(connection, connection.websocket)
            return
        connection.error = connection.head_error()
        if connection.error is not None:
            self._answer(connection)
        elif connection.is_end_unknown() or connection.is_upload(
            self.limits.max_body_bytes, self.limits.upload
        ):
            self._hand_to_thread(connection)
        elif connection.has_complete_request(self.limits.max_body_bytes):
            self._answer(connection)
        else:
            self._wait_for_rest(connection)

    def _serve_message(self, connection: Connection, websocket: WebSocket) -> None:
        """Answer the next message; send what the frames before it ask for."""
        message = websocket.next_message(self.limits.max_body_bytes)
        if message is None and self.shutdown.is_requested:
            message = self._last_message(connection, websocket)
        if message is None and not websocket.output:
            self._wait_for_rest(connection)
            return
        self.notify()
        sock, outcome = BufferedSocket(connection.sock), cast(Outcome, not websocket.is_closing)
        if message is not None:
            outcome = answer_message(self._application, connection, message)
        self._take_outcome(connection, sock, outcome)

    def _last_message(self, connection: Connection, websocket: WebSocket) -> Message | None:
        """Return a message that came before the server stops; close without one."""
        websocket.receive(connection.receive() or b"")
        message = websocket.next_message(self.limits.max_body_bytes)
        if message is None:
            websocket.close(GOING_AWAY)
        return message

    def _wait_for_rest(self, connection: Connection) -> None:
        if not connection.has_begun_request():
            connection.due = None
        elif connection.due is None:
            self._start_deadline(connection)
        self.waiting.add(connection)

    def _answer(self, connection: Connection) -> None:
        self.notify()
        sock = BufferedSocket(connection.sock)
        self._take_outcome(connection, sock, self._call(connection, sock))

    def _take_outcome(self, connection: Connection, sock: BufferedSocket, outcome: Outcome) -> None:
        if isinstance(outcome, Pending):
            self.poller.unregister(connection.sock)
            self._hold(connection, sock, outcome)
            return
        connection.keep_alive = outcome
        connection.take_from_parser()
        self._deliver(connection, sock)

    def _call(self, connection: Connection, sock: AnySocket) -> Outcome:
        return answer(self._application, connection, sock, self._is_last, self._heads)

    def _is_last(self) -> bool:
        is_full = len(self.waiting) >= self.limits.max_connections - self.limits.threads
        return is_full or self.shutdown.is_requested

    def _hold(self, connection: Connection, sock: AnySocket, pending: Pending) -> None:
        """Make a response at its time. Until then, nothing is read of this client."""
        held = pending.held
        self.waiting.count_held(connection, 2 * len(connection.given))  # the parser has a copy
        go_on: Callable[..., None] = self._go_on
        if isinstance(sock, BlockingSocket) and held.thread in (None, "pool", "control"):
            go_on = partial(self._run_on_thread, self._readers)
        elif held.thread == "writer":
            go_on = partial(self._run_on_thread, self._writer)
        elif held.thread is not None:
            go_on = partial(self._run_on_thread, self._pools[held.thread])
        if held.delay is None:
            go_on(connection, sock, pending.respond)
        else:
            self._wait(held.delay, partial(go_on, connection, sock, pending.respond))

    def _wait(self, delay: Delay, callback: Callable[[], Any]) -> None:
        """Call back at the end of a delay, once."""

        def go_on() -> None:
            nonlocal callback
            delay.is_cut = self.shutdown.is_requested
            delay.on_end = bool
            call, callback = callback, bool
            call()

        self.call_later(delay.seconds, go_on)
        delay.on_end = partial(self.call_soon, self.call_later, 0, go_on)
        if delay.has_ended():
            delay.on_end()

    def _go_on(
        self, connection: Connection, sock: AnySocket, respond: Callable[[], Outcome]
    ) -> None:
        self._settle(connection, sock, respond())

    def _run_on_thread(
        self,
        pool: ThreadPoolExecutor | Writer,
        connection: Connection,
        sock: AnySocket,
        respond: Callable[[], Outcome],
    ) -> None:
        answering = pool.submit(respond)
        answering.add_done_callback(
            lambda _: self.call_soon(self._take_from_thread, connection, sock, answering)
        )

    def _take_from_thread(
        self, connection: Connection, sock: AnySocket, answering: "Future[Outcome]"
    ) -> None:
        has_failed = answering.cancelled() or answering.exception() is not None
        self._settle(connection, sock, False if has_failed else answering.result())

    def _settle(self, connection: Connection, sock: AnySocket, outcome: Outcome) -> None:
        """Go on with a connection that was not watched while its response was made."""
        self.waiting.count_held(connection, 0)
        if isinstance(outcome, Pending):
            self._hold(connection, sock, outcome)
            return
        connection.keep_alive = outcome
        connection.take_from_parser()
        try:
            connection.sock.setblocking(False)
            self._watch(connection)
        except (OSError, ValueError):  # closed already
            self.close(connection)
            return
        self._deliver(connection, sock)

    def _deliver(self, connection: Connection, sock: AnySocket) -> None:
        """Send the response; what the client has no room for is sent later."""
        connection.put(sock.sent, sock.body)
        connection.due, connection.was_answered = None, True
        connection.send()
        if not connection.has_unsent():
            self._finish(connection)
            return
        self._start_deadline(connection)
        self.drop(self.waiting.over_memory(connection))
        self.poller.modify(
            connection.sock, selectors.EVENT_WRITE, partial(self._send_rest, connection)
        )
        self.waiting.add(connection)

    def _send_rest(self, connection: Connection, sock: Any) -> None:
        if connection.is_closed:
            return
        self.waiting.remove(connection)
        has_sent = connection.send()
        if connection.has_unsent():
            if has_sent:
                self._start_deadline(connection)
            self.waiting.add(connection)
            return
        connection.due = None
        self.poller.modify(sock, selectors.EVENT_READ, partial(self._receive, connection))
        self._finish(connection)

    def _finish(self, connection: Connection) -> None:
        """Close, or go on with the next request, after the other clients' turn."""
        if connection.must_reset:
            self.unwatch_and_close(connection)
        elif not connection.keep_alive:
            self._linger_close(connection)
        elif connection.has_more():
            self.poller.unregister(connection.sock)
            self.call_soon(self._start_serving, connection)
        else:
            self._wait_for_rest(connection)

    def _hand_to_thread(self, connection: Connection) -> None:
        """Let a thread answer a request of unknown length."""
        self.poller.unregister(connection.sock)
        connection.due = None
        sock = BlockingSocket(connection.sock, self.limits.client_timeout_seconds)
        self._run_on_thread(self._readers, connection, sock, partial(self._call, connection, sock))

    def _linger_close(self, connection: Connection) -> None:
        """Close once the client has read the response and closed, or at its deadline."""
        connection.is_leaving = True
        self._start_deadline(connection)
        connection.shutdown_write()
        self.waiting.add(connection)
