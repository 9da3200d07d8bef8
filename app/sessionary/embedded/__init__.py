"""A threaded HTTP server in this process, which starts and stops in milliseconds."""

import os
import socket
import struct
import threading
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from cheroot.wsgi import Gateway_10 as CherootGateway
from cheroot.wsgi import Server as CherootServer

from sessionary.embedded.reading import MAX_HEAD_BYTES, ChunkReader, Connection

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class EmbeddedServer:
    """Serves a WSGI application while the block lasts; by default on a free port of loopback."""

    def __init__(
        self, application: Any, *, host: str = "127.0.0.1", port: int = 0, threads: int = 4
    ) -> None:
        self._server = CherootServer(
            (host, port),
            application,
            numthreads=threads,
            request_queue_size=128,  # a client beyond it would retry only after a second
            timeout=65,  # longer than clients keep an idle connection: they close first
            shutdown_timeout=1,
        )
        self._server.ConnectionClass = Connection
        self._server.max_request_header_size = MAX_HEAD_BYTES
        self._stopping = threading.Event()
        self._server.gateway = partial(_Gateway, self._stopping)
        self._server.keep_alive_conn_limit = 512
        # Seconds that its loop sleeps between requests, and so the time that a stop can take.
        self._server.expiration_interval = 0.02
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    @property
    def listener(self) -> socket.socket:
        """Return the listening socket."""
        listener: socket.socket = self._server.socket
        return listener

    @property
    def url(self) -> str:
        """Return the base URL, without a trailing slash."""
        host, port = self._server.bind_addr[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> Self:
        """Listen; requests are answered from now on."""
        self._server.prepare()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish what is in flight and stop listening."""
        self._stopping.set()
        address = self.listener.getsockname()
        stopping = threading.Thread(target=self._server.stop)
        stopping.start()
        with suppress(OSError):  # wake the loop
            socket.create_connection(address[:2], timeout=1).close()
        stopping.join()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Gateway(CherootGateway):
    """Adds `sessionary.reset` and `sessionary.sleep` to the environment of a request.

    The first resets its connection; the second sleeps, and returns early if the server stops.
    """

    def __init__(self, stopping: threading.Event, request: Any) -> None:
        if request.chunked_read:
            request.rfile.rfile = ChunkReader(request)
        super().__init__(request)
        environ: dict[str, Any] = self.env
        environ["sessionary.reset"] = partial(_reset, request.conn)
        environ["sessionary.sleep"] = stopping.wait


def _reset(connection: Any) -> None:
    """Close with RST, as a crashed peer would, and leave nothing for the server to close."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.linger = True
    os.close(connection.socket.detach())
