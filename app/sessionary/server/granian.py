"""granian, for those who choose it: it reads and writes HTTP in Rust, and calls us by WSGI.

On its own it would let every worker bind the address anew, which can pick no free port and
would share a taken one in silence. So one socket is made here and all workers accept from it.
It has no way to collect a body before it asks for a thread: clients that send half of one hold a
thread each, and when all are held the others wait.
"""

import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server import MPServer

from sessionary.server.notice import Notice, family
from sessionary.settings import Settings

_BACKLOG = 2048
# Its lines go where ours go.
_LOGGING = {
    "handlers": {"ours": {"()": lambda: logging.getLogger("sessionary").handlers[0]}},
    "loggers": {"_granian": {"handlers": ["ours"], "propagate": False}},
}
_LAST_MOMENTS = 9  # seconds for what is in flight at the end: Docker kills after 10


def run(settings: Settings, load: Callable[[], Flask], notice: Notice) -> None:
    """Serve until SIGTERM and return; a worker that cannot be kept alive exits with 1."""
    address = (settings.host, settings.port)
    listener = socket.create_server(address, family=family(settings.host), backlog=_BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each client's inherits it

    def application() -> Flask:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        return load()

    server = _Granian(settings, listener)
    server.on_startup(lambda: notice.put_up(listener))
    server.on_shutdown(notice.take_down)
    multiprocessing.set_start_method("fork", force=True)
    _let_young_workers_be_stopped()
    server.serve(target_loader=application, wrap_loader=False)


class _Granian(MPServer):
    """granian with our settings, on a socket that listens already.

    Where it takes a socket from is not public, so the extra admits one minor version only.
    """

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        super().__init__(
            target="sessionary",
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            backlog=_BACKLOG,
            workers=settings.workers,
            blocking_threads=settings.threads,
            respawn_failed_workers=True,
            workers_kill_timeout=_LAST_MOMENTS,
            log_level=LogLevels.warning,
            log_dictconfig=_LOGGING,
            ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
            ssl_key=Path(settings.tls_key) if settings.tls_key else None,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._sso = self._listener
        described: Any = SocketHolder  # its stub leaves out what it is made of
        self._shd = described(self._listener.fileno(), False, _BACKLOG)


def _end_with_parent() -> None:
    """End this worker when its parent is killed; nobody could stop it any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _let_young_workers_be_stopped() -> None:
    """Let SIGTERM end a worker that does not serve yet.

    It would inherit the handler of its parent, which does not end it, and be waited for in vain.
    """
    terminate = {signal.SIGTERM}

    def end_by_default() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, terminate)

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, terminate),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, terminate),
        after_in_child=end_by_default,
    )
