"""gunicorn, which is there by default."""

import resource
import signal
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sessionary.http_server import Worker
from sessionary.http_server.shutdown import ENDING
from sessionary.server import tls
from sessionary.server.ready_notice import ReadyNotice, bracketed
from sessionary.settings import Settings

_FEWEST, _MOST = 16, 1000  # connections of a worker
_FILES, _FILES_OF_ITS_OWN, _FILES_OF_A_THREAD = 4096, 100, 4
_LAST_MOMENTS = 9  # seconds for what is in flight at the end: Docker kills after 10


def run(settings: Settings, load: Callable[[], Flask], notice: ReadyNotice) -> None:
    """Serve until SIGTERM and exit the process with 0."""
    Worker.longest_body = settings.max_body_bytes
    Worker.client_timeout_seconds = settings.client_timeout_seconds
    Worker.context = tls.make_context(settings)
    _Gunicorn(settings, load, notice).run()


class _Gunicorn(BaseApplication):
    """gunicorn with our settings and nothing of its own: no files, no arguments, no environment."""

    def __init__(self, settings: Settings, load: Callable[[], Flask], notice: ReadyNotice) -> None:
        self._settings = settings
        self._load = load
        self._notice = notice
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options = {
            "bind": f"{bracketed(settings.host)}:{settings.port}",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_connections": _connections(settings.threads),
            "worker_class": Worker,
            "keepalive": 65,  # longer than clients keep an idle connection: they close first
            "graceful_timeout": _LAST_MOMENTS,
            "loglevel": "warning",
            "errorlog": None,  # its lines go where ours go
            "control_socket_disable": True,
            "certfile": settings.tls_certificate,  # from which it knows the scheme
            "keyfile": settings.tls_key,
            "limit_request_line": 8190,
            "forwarded_allow_ips": "",  # who is believed is said by trusted_proxy
            "http_parser": "python",  # whatever else is installed
            "when_ready": lambda arbiter: self._notice.announce(arbiter.LISTENERS[0].sock),
            "on_exit": lambda _: self._notice.withdraw(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()

    def run(self) -> None:
        _Arbiter(self).run()


def _connections(threads: int) -> int:
    """How many a worker may have, with as many files open as this process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = max(soft, min(hard, _FILES))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(_FEWEST, min(_MOST, files - _FILES_OF_ITS_OWN - _FILES_OF_A_THREAD * threads))


class _Arbiter(Arbiter):
    """gunicorn's, that takes Ctrl-C for SIGTERM, and whose workers miss no signal.

    A young worker has its parent's handlers, which put a signal where nobody looks for it: the
    parent would wait in vain for the worker to end. So what comes early is held back until the
    worker can tell.
    """

    def signal(self, sig: int, frame: Any) -> None:
        super().signal(signal.SIGTERM if sig == signal.SIGINT else sig, frame)

    def spawn_worker(self) -> Any:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = super().spawn_worker()  # a worker leaves here for good
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        return pid
