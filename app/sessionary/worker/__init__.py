"""A gunicorn worker for many short requests: what has arrived whole is answered at once.

gunicorn's threaded worker gives every request to a thread and sends head and body apart. Here the
polling thread collects requests without waiting for any, answers what is whole on the spot and
sends the answer in one piece, the rest of a long one as its client makes room. Only a request
whose end cannot be foreseen goes to a thread: a body in chunks, a client that waits to be told to
continue.
"""

import re
import selectors
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, cast

from gunicorn.http import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

_CHUNK = 65_536
_LONGEST_HEAD = 65_536  # gunicorn refuses a longer one, and says so
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_UNUSUAL = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade)[ \t]*:", re.IGNORECASE)
_LAST_SECONDS = 2.0  # for a client to read its last answer and close
# How many new clients are taken at once: a worker among others leaves some to them.
_ALONE, _AMONG_OTHERS = 16, 1


class _Outgoing:
    """A client's socket as gunicorn's parser and response see it: what they send is held."""

    def __init__(self, sock: socket.socket) -> None:
        self.held: list[bytes] = []
        self.recv = sock.recv
        self.close = sock.close

    def sendall(self, data: bytes) -> None:
        self.held.append(data)

    def gettimeout(self) -> float:
        return 0.0

    def setblocking(self, blocking: bool) -> None:
        """Nothing of it blocks: what is read has arrived, and what is sent is held."""


class _Client(TConn):
    """A connection, and what has arrived of its next request."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.raw: socket.socket = self.sock
        self.data_ready = True
        self.arrived = bytearray()
        self.needed = 0  # bytes without which the request is not whole
        self.unsent = b""  # what the client has not made room for yet
        self.is_kept = True
        self.is_leaving = False

    def has_whole_request(self, longest: int) -> bool:
        """Whether it can be answered; a body that is refused for its length is not waited for."""
        if len(self.arrived) < max(self.needed, 1):
            return False
        end = self.arrived.find(_END)
        if end < 0:
            return False
        length = _LENGTH.search(self.arrived, 0, end + 2)
        body = int(length[1]) if length else 0
        self.needed = end + len(_END) + (body if body <= longest else 0)
        return len(self.arrived) >= self.needed

    def needs_a_thread(self) -> bool:
        """Whether the rest of the request cannot simply be waited for."""
        end = self.arrived.find(_END)
        if end < 0:
            return len(self.arrived) > _LONGEST_HEAD
        return _UNUSUAL.search(self.arrived, 0, end + 2) is not None

    def give_to_parser(self, sock: Any) -> None:
        """Let gunicorn's parser read what has arrived, and then from `sock`."""
        self.sock = sock
        self.init()
        unreader: Any = cast(RequestParser, self.parser).unreader
        unreader.sock = sock
        unreader.unread(bytes(self.arrived))
        self.arrived.clear()
        self.needed = 0

    def take_from_parser(self) -> None:
        """Have the socket back, and what the parser has read of a next request."""
        self.sock = self.raw
        self.arrived += cast(RequestParser, self.parser).unreader.take_buffered()


class Worker(ThreadWorker):
    """Serves whole requests on the polling thread."""

    longest_body = 4 * 1024 * 1024  # the application refuses a longer one unread

    def accept(self, listener: socket.socket) -> None:
        """Take new clients, several at once: those who wait to be taken wait longest."""
        for _ in range(_ALONE if self.cfg.workers == 1 else _AMONG_OTHERS):
            try:
                sock, address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            self.nr_conns += 1
            self._listen_to(_Client(self.cfg, sock, address, listener.getsockname()))

    def _listen_to(self, client: _Client) -> None:
        client.raw.setblocking(False)
        self.poller.register(client.raw, selectors.EVENT_READ, partial(self._receive, client))
        self._serve(client)

    def _wait_for(self, client: _Client) -> None:
        is_last = client.is_leaving or not self.alive
        client.timeout = time.monotonic() + (_LAST_SECONDS if is_last else self.cfg.keepalive)
        self.keepalived_conns.append(client)

    def _receive(self, client: _Client, sock: socket.socket) -> None:
        try:
            data = sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.keepalived_conns.remove(client)
        if not data:
            self.poller.unregister(sock)
            self._lose(client)
        elif client.is_leaving:
            self._wait_for(client)
        else:
            client.arrived += data
            self._serve(client)

    def _serve(self, client: _Client) -> None:
        """Answer each whole request that has arrived, then wait for more."""
        while not client.needs_a_thread():
            if not client.has_whole_request(self.longest_body):
                self._wait_for(client)
                return
            if not self._answer(client):
                return
        self._lend(client)

    def _answer(self, client: _Client) -> bool:
        """Serve one request; whether the next one may be looked at."""
        outgoing = _Outgoing(client.raw)
        client.give_to_parser(outgoing)
        client.is_kept = bool(self.handle(client))
        client.take_from_parser()
        client.unsent = b"".join(outgoing.held)
        self._send(client)
        if client.unsent:
            self.poller.modify(client.raw, selectors.EVENT_WRITE, partial(self._resume, client))
            self._wait_for(client)
        elif not client.is_kept:
            self._part_from(client)
        return client.is_kept and not client.unsent

    def _send(self, client: _Client) -> None:
        try:
            client.unsent = client.unsent[client.raw.send(client.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            client.unsent, client.is_kept = b"", False

    def _resume(self, client: _Client, sock: socket.socket) -> None:
        """Go on with an answer that was more than the client had read."""
        self.keepalived_conns.remove(client)
        self._send(client)
        if client.unsent:
            self._wait_for(client)
            return
        self.poller.modify(sock, selectors.EVENT_READ, partial(self._receive, client))
        if client.is_kept:
            self._serve(client)
        else:
            self._part_from(client)

    def _lend(self, client: _Client) -> None:
        """Let a thread serve a request whose rest has to be waited for."""
        self.poller.unregister(client.raw)
        client.give_to_parser(client.raw)
        lent = self.tpool.submit(self.handle, client)
        lent.add_done_callback(lambda _: self.method_queue.defer(self._take_back, client, lent))

    def _take_back(self, client: _Client, lent: "Future[Any]") -> None:
        client.is_kept = not lent.cancelled() and lent.exception() is None and bool(lent.result())
        client.take_from_parser()
        try:
            client.raw.setblocking(False)
            self.poller.register(client.raw, selectors.EVENT_READ, partial(self._receive, client))
        except (OSError, ValueError):  # closed where it could not be answered
            self._lose(client)
            return
        if client.is_kept:
            self._serve(client)
        else:
            self._part_from(client)

    def _part_from(self, client: _Client) -> None:
        """Close, once the client has read the answer and closed, or has had the time to."""
        client.is_leaving = True
        with suppress(OSError):
            client.raw.shutdown(socket.SHUT_WR)
        self._wait_for(client)

    def _lose(self, client: _Client) -> None:
        self.nr_conns -= 1
        client.close()
