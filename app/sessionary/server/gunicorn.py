"""gunicorn, embedded: it forks the workers and replaces those that die."""

import signal
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sessionary.http_server import Limits
from sessionary.http_server.limits import max_connections, raise_open_files
from sessionary.http_server.shutdown import SHUTDOWN_SECONDS
from sessionary.server import tls
from sessionary.server.ready_notice import ReadyNotice, bracketed
from sessionary.server.worker import ENDING, Worker
from sessionary.settings import Settings


def run(settings: Settings, load: Callable[[], Flask], notice: ReadyNotice) -> None:
    """Serve until SIGTERM and exit the process with 0."""
    _Gunicorn(settings, load, notice).run()


class _Gunicorn(BaseApplication):
    """gunicorn with these settings alone: no files, no arguments, no environment."""

    def __init__(self, settings: Settings, load: Callable[[], Flask], notice: ReadyNotice) -> None:
        self._settings = settings
        self._load = load
        self._notice = notice
        self.tls_context = tls.make_context(settings)
        raise_open_files()
        self.limits = Limits(
            threads=settings.threads,
            max_connections=max_connections(settings.threads),
            max_body_bytes=settings.max_body_bytes,
            client_timeout_seconds=settings.client_timeout_seconds,
            processes=settings.workers,
        )
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options = {
            "bind": f"{bracketed(settings.host)}:{settings.port}",
            "workers": settings.workers,
            "worker_class": Worker,
            "graceful_timeout": SHUTDOWN_SECONDS + 1,  # a worker ends by itself before it is killed
            "loglevel": "warning",
            "errorlog": None,  # its lines go where ours go
            "control_socket_disable": True,
            "when_ready": lambda arbiter: self._notice.announce(arbiter.LISTENERS[0].sock),
            "on_exit": lambda _: self._notice.withdraw(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()

    def run(self) -> None:
        _Arbiter(self).run()


class _Arbiter(Arbiter):
    """gunicorn's arbiter, but it treats Ctrl-C as SIGTERM, and no worker misses a signal.

    A new worker still has its parent's handlers, which queue a signal that nothing reads there, so
    that the parent would wait in vain for the worker to end. Early signals are therefore blocked
    until the worker has installed its own handlers.
    """

    def signal(self, sig: int, frame: Any) -> None:
        super().signal(signal.SIGTERM if sig == signal.SIGINT else sig, frame)

    def spawn_worker(self) -> Any:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = super().spawn_worker()  # in a worker, this does not return
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        return pid
