"""The HTTP core in a thread of this process; it starts and stops in milliseconds."""

import socket
import threading
from types import TracebackType
from typing import Any, Self

from sessionary.http_server import HttpServer, Limits
from sessionary.http_server.limits import Upload, max_connections
from sessionary.settings import Settings

_BACKLOG = 2048


class EmbeddedServer:
    """Serves a WSGI application while the block lasts; by default on a free port of loopback."""

    def __init__(
        self,
        application: Any,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = Settings.threads,
        max_body_bytes: int = Settings.max_body_bytes,
        max_restore_bytes: int = 0,
    ) -> None:
        self._application = application
        self._address = host, port
        self._limits = Limits(
            threads=threads,
            max_connections=max_connections(threads),
            max_body_bytes=max_body_bytes,
            client_timeout_seconds=Settings.client_timeout_seconds,
            upload=_restore_upload(max_restore_bytes) if max_restore_bytes else None,
        )

    def start(self) -> Self:
        """Listen; requests are answered from now on."""
        is_ipv6 = ":" in self._address[0]
        family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
        self.listener = socket.create_server(
            self._address, family=family, backlog=_BACKLOG, dualstack_ipv6=is_ipv6
        )
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # clients inherit it
        host, port = self.listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if is_ipv6 else f"http://{host}:{port}"
        self._server = HttpServer([self.listener], self._limits)
        self._thread = threading.Thread(
            target=self._server.run, args=(self._application,), daemon=True
        )
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


def _restore_upload(max_bytes: int) -> Upload:
    from sessionary.control.blueprint import RESTORE_LINE  # not every server has a control plane

    return Upload(RESTORE_LINE, max_bytes)
