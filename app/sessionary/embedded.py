"""A keep-alive threaded server inside this process, for tests: starts and stops in milliseconds."""

import threading
from types import TracebackType
from typing import Any, Self

from cheroot.wsgi import Server as CherootServer


class EmbeddedServer:
    """Serves a WSGI application on a free port of the loopback address, between enter and exit."""

    def __init__(self, application: Any, *, threads: int = 4) -> None:
        self._server = CherootServer(("127.0.0.1", 0), application, numthreads=threads)
        self._server.shutdown_timeout = 1
        # How long its loop sleeps between requests, and so how long a stop can take.
        self._server.expiration_interval = 0.02
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        host, port = self._server.bind_addr
        return f"http://{host}:{port}"

    def start(self) -> Self:
        """Listen; the address answers when this returns."""
        self._server.prepare()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish what is in flight and stop listening."""
        self._server.stop()
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
