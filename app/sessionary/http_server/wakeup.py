"""Callbacks for the loop's thread, from any thread or signal handler."""

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any


class Wakeup:
    """A queue of callbacks, with a socket that becomes readable when there are any."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._callbacks: SimpleQueue[Callable[[], Any]] = SimpleQueue()

    def call_soon(self, callback: Callable[..., Any], *args: Any) -> None:
        """Call it on the loop's thread, after the events that are ready now."""
        self._callbacks.put(partial(callback, *args))
        with suppress(OSError):  # full: the loop wakes anyway; closed: the loop has ended
            self._writer.send(b"\0")

    def run_callbacks(self, _: Any) -> None:
        """Call what is queued now; what a callback queues is for the next turn."""
        with suppress(BlockingIOError):
            self.reader.recv(4096)
        for _ in range(self._callbacks.qsize()):
            self._callbacks.get()()

    def close(self) -> None:
        self.reader.close()
        self._writer.close()
