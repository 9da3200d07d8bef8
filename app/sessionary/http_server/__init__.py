"""A gunicorn worker for many short requests: what has arrived whole is answered at once.

gunicorn's threaded worker gives every request to a thread and sends head and body apart. Here the
polling thread collects requests without waiting for any, answers what is whole on the spot and
sends the answer in one piece, the rest of a long one as its client makes room. Only a request
whose end cannot be foreseen goes to a thread: a body in chunks, a client that waits to be told to
continue. TLS is shaken hands for in the same way, and no client has for ever.
"""

import selectors
import socket
import ssl
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, ParseException

from sessionary.http_server.connection import Client, Held, Lent
from sessionary.http_server.limits import WaitingWorker

# How many new clients are taken at once: a worker among others leaves some to them.
_ALONE, _AMONG_OTHERS = 16, 1


class Worker(WaitingWorker):
    """Serves whole requests on the polling thread."""

    context: ssl.SSLContext | None = None  # of TLS

    def accept(self, listener: socket.socket) -> None:
        """Take new clients, several at once: those who wait to be taken wait longest."""
        for _ in range(_ALONE if self.cfg.workers == 1 else _AMONG_OTHERS):
            if self.nr_conns + 1 >= self.worker_connections:
                self.make_room()
            try:
                sock, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # this process, or the machine, has no descriptor left
                self.make_room()
                return
            self.nr_conns += 1
            self._welcome(Client(self.cfg, sock, address, listener.getsockname()))

    def _welcome(self, client: Client) -> None:
        if self.context is None:
            self._listen_to(client)
            return
        try:
            client.secure(self.context)
        except OSError:
            self.lose(client)
            return
        client.due = time.monotonic() + self.client_timeout_seconds
        self.poller.register(client.raw, selectors.EVENT_READ, partial(self._greet, client))
        self.wait_for(client)

    def _greet(self, client: Client, sock: socket.socket) -> None:
        """Go on with a handshake, which waits for nobody."""
        if client.is_lost:
            return
        self.keepalived_conns.remove(client)
        try:
            awaited = client.greet()
        except OSError:
            self.poller.unregister(sock)
            self.lose(client)
            return
        if awaited:
            self.poller.modify(sock, awaited, partial(self._greet, client))
            self.wait_for(client)
        else:
            client.due = None
            self.poller.modify(sock, selectors.EVENT_READ, partial(self._receive, client))
            self.wait_for(client)
            self._receive(client, sock)

    def _listen_to(self, client: Client) -> None:
        client.raw.setblocking(False)
        self.poller.register(client.raw, selectors.EVENT_READ, partial(self._receive, client))
        self._serve(client)

    def _receive(self, client: Client, sock: socket.socket) -> None:
        if client.is_lost:  # to make room for another, since it was found to be readable
            return
        data = client.receive()
        if data is None:
            return
        self.keepalived_conns.remove(client)
        if not data:
            self.poller.unregister(sock)
            self.lose(client)
        elif client.is_leaving:
            self.wait_for(client)
        else:
            client.arrived += data
            self.spare_memory(client)
            self._serve(client)

    def _serve(self, client: Client) -> None:
        """Answer one request, if a whole one has arrived, and wait for more."""
        if client.is_too_long():
            self._refuse(client, LimitRequestHeaders("the head is too long"))
        elif client.needs_a_thread():
            self._lend(client)
        elif not client.has_whole_request(self.longest_body):
            self._wait_for_rest(client)
        elif self._answer(client):
            self._go_on(client)

    def _wait_for_rest(self, client: Client) -> None:
        if not client.arrived:
            client.due = None
        elif client.due is None:
            client.due = time.monotonic() + self.client_timeout_seconds
        self.wait_for(client)

    def _go_on(self, client: Client) -> None:
        """Look at the next request, if any of it is there, when everybody else has had a turn."""
        if client.arrived:
            self.poller.unregister(client.raw)
            self.method_queue.defer(self._listen_to, client)
        else:
            self._wait_for_rest(client)

    def _refuse(self, client: Client, error: Exception) -> None:
        sock: Any = Held(client.raw)
        self.handle_error(None, sock, client.client, error)
        client.is_kept = False
        self._deliver(client, sock)

    def _answer(self, client: Client) -> bool:
        """Serve one request; whether the next one may be looked at."""
        self.notify()
        sock = Held(client.raw)
        client.give_to_parser(sock)
        client.is_kept = bool(self.handle(client))
        client.take_from_parser()
        return self._deliver(client, sock)

    def _deliver(self, client: Client, sock: Held) -> bool:
        """Send what was answered; whether the next request may be looked at."""
        client.unsent, client.due, client.was_answered = b"".join(sock.held), None, True
        client.send()
        if client.unsent:
            client.due = time.monotonic() + self.client_timeout_seconds
            self.poller.modify(client.raw, selectors.EVENT_WRITE, partial(self._resume, client))
            self.wait_for(client)
        elif not client.is_kept:
            self._part_from(client)
        return client.is_kept and not client.unsent

    def _resume(self, client: Client, sock: socket.socket) -> None:
        """Go on with an answer that was more than the client had read."""
        if client.is_lost:
            return
        self.keepalived_conns.remove(client)
        client.send()
        if client.unsent:
            self.wait_for(client)
            return
        client.due = None
        self.poller.modify(sock, selectors.EVENT_READ, partial(self._receive, client))
        if client.is_kept:
            self._go_on(client)
        else:
            self._part_from(client)

    def handle_request(self, req: Any, conn: Any) -> bool:
        if conn.is_refused_unread:
            req.force_close()
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the next request can be told from the rest of this one, which nobody has read.

        gunicorn waits longer, and answers a second time where it meets a fault.
        """
        conn.sock.hurry()
        try:
            return keepalive and bool(conn.parser.finish_body())
        except (OSError, ParseException):
            return False

    def _lend(self, client: Client) -> None:
        """Let a thread serve a request whose rest has to be waited for."""
        self.poller.unregister(client.raw)
        client.due = None
        client.give_to_parser(Lent(client.raw, self.client_timeout_seconds))
        self.lent.add(client)
        lent = self.tpool.submit(self.handle, client)
        lent.add_done_callback(lambda _: self.method_queue.defer(self._take_back, client, lent))

    def _take_back(self, client: Client, lent: "Future[Any]") -> None:
        self.lent.discard(client)
        client.is_kept = not lent.cancelled() and lent.exception() is None and bool(lent.result())
        client.take_from_parser()
        client.was_answered = True
        try:
            client.raw.setblocking(False)
            self.poller.register(client.raw, selectors.EVENT_READ, partial(self._receive, client))
        except (OSError, ValueError):  # closed where it could not be answered
            self.lose(client)
            return
        if client.is_kept:
            self._go_on(client)
        else:
            self._part_from(client)

    def _part_from(self, client: Client) -> None:
        """Close, once the client has read the answer and closed, or has had the time to."""
        client.is_leaving = True
        client.due = time.monotonic() + self.client_timeout_seconds
        client.say_goodbye()
        self.wait_for(client)
