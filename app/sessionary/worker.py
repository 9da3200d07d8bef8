"""A gunicorn worker for many short requests: what has arrived whole is answered at once.

gunicorn's threaded worker gives every request to a thread and sends head and body apart. Here the
polling thread collects each request without waiting for any, answers what is whole on the spot
and sends the answer in one piece. Only what may take long goes to the threads: a body in chunks,
a client that wants to be told to continue, an answer that its client does not read, a farewell.
"""

import re
import selectors
import socket
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

from gunicorn import util
from gunicorn.http import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

_CHUNK = 65_536
_LONGEST_HEAD = 65_536  # gunicorn refuses a longer one, and says so
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
_UNUSUAL = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade)[ \t]*:", re.IGNORECASE)
_UNREAD_SECONDS = 30.0


class _Outgoing:
    """A client's socket as gunicorn's parser and response see it: what they send is held."""

    def __init__(self, sock: socket.socket) -> None:
        self.held: list[bytes] = []
        self.recv = sock.recv
        self.close = sock.close

    def sendall(self, data: bytes) -> None:
        self.held.append(data)

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

    longest_body = 4 * 1024 * 1024

    def accept(self, listener: socket.socket) -> None:
        """Take a new client; no thread waits for what it sends."""
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

    def _receive(self, client: _Client, sock: socket.socket) -> None:
        try:
            data = sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.keepalived_conns.remove(client)
        if data:
            client.arrived += data
            self._serve(client)
        else:
            self.poller.unregister(sock)
            self.nr_conns -= 1
            client.close()

    def _serve(self, client: _Client) -> None:
        """Answer each whole request that has arrived, then wait for more."""
        while not client.needs_a_thread():
            if not client.has_whole_request(self.longest_body):
                client.set_timeout()
                self.keepalived_conns.append(client)
                return
            if not self._answer(client):
                return
        client.give_to_parser(client.raw)
        self._lend(client, self._handle_slowly)

    def _answer(self, client: _Client) -> bool:
        """Serve one request; whether the connection is still this thread's."""
        outgoing = _Outgoing(client.raw)
        client.give_to_parser(outgoing)
        is_kept = bool(self.handle(client))
        client.take_from_parser()
        answer = b"".join(outgoing.held)
        try:
            rest = answer[client.raw.send(answer) :]
        except BlockingIOError:
            rest = answer
        except OSError:
            rest, is_kept = b"", False
        if is_kept and not rest:
            return True
        self._lend(client, self._send_slowly, rest, is_kept)
        return False

    def _lend(self, client: _Client, work: Callable[..., bool], *args: Any) -> None:
        """Let a thread work with a client; `work` says whether the client is kept."""
        self.poller.unregister(client.raw)
        lent = self.tpool.submit(work, client, *args)
        lent.add_done_callback(lambda _: self.method_queue.defer(self._take_back, client, lent))

    def _take_back(self, client: _Client, lent: "Future[bool]") -> None:
        if not lent.cancelled() and lent.exception() is None and lent.result():
            client.take_from_parser()
            self._listen_to(client)
        else:
            self.nr_conns -= 1
            client.close()

    def _handle_slowly(self, client: _Client) -> bool:
        return bool(self.handle(client)) or self._part_from(client)

    def _send_slowly(self, client: _Client, rest: bytes, is_kept: bool) -> bool:
        client.raw.settimeout(_UNREAD_SECONDS)
        client.raw.sendall(rest)
        return is_kept or self._part_from(client)

    def _part_from(self, client: _Client) -> bool:
        """Close after the client has had the time to read the answer."""
        util.close_graceful(client.raw)
        return False
