"""gunicorn, embedded: it forks the workers and replaces those that die."""

import gc
import signal
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sessionary.durations import monotonic
from sessionary.server.ready_notice import ReadyNotice, bracketed
from sessionary.server.worker import ENDING, GRACEFUL_SECONDS, make_worker
from sessionary.settings import Settings
from sessionary.store.waits import poll

_QUICK_SECONDS = 0.5


def run(settings: Settings, load: Callable[[], Flask], notice: ReadyNotice) -> None:
    """Serve until SIGTERM and exit the process with 0."""
    _Gunicorn(settings, load, notice).run()


class _Gunicorn(BaseApplication):
    """gunicorn with these settings alone: no files, no arguments, no environment."""

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
            "worker_class": make_worker(settings),
            "graceful_timeout": GRACEFUL_SECONDS,
            "loglevel": "warning",
            "errorlog": None,  # its lines go where ours go
            "control_socket_disable": True,
            "when_ready": lambda arbiter: self._notice.announce(arbiter.LISTENERS[0].sock),
            "on_exit": self._on_exit,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _on_exit(self, _: Arbiter) -> None:
        self._notice.withdraw()
        gc.freeze()  # as in a worker

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

    def kill_workers(self, sig: int) -> None:
        """Do not wait for workers that have nothing in flight until gunicorn looks again."""
        super().kill_workers(sig)
        if sig in ENDING:
            poll(self._have_workers_ended, monotonic() + _QUICK_SECONDS)

    def _have_workers_ended(self) -> bool:
        self.reap_workers()
        return not self.WORKERS

    def spawn_worker(self) -> Any:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = super().spawn_worker()  # in a worker, this does not return
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        return pid
