"""What gunicorn demands of a worker process; the HTTP core serves in it."""

import gc
import os
import signal
import ssl
import sys
from dataclasses import replace
from typing import Any

from gunicorn.workers.base import Worker as BaseWorker

from sessionary.http_server import HttpServer, Limits
from sessionary.http_server.limits import max_connections, raise_open_files
from sessionary.http_server.shutdown import SHUTDOWN_SECONDS
from sessionary.server import tls
from sessionary.settings import Settings

GRACEFUL_SECONDS = SHUTDOWN_SECONDS + 1  # a worker ends by itself before it is killed
# Python's own 5 ms are longer than a request: loop and writer would wait for each other.
_SWITCH_SECONDS = 0.0005
# The signals that end a worker; a new worker starts with them blocked.
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Worker(BaseWorker):
    """A worker process that may be signalled to end at any time, and repeatedly."""

    limits: Limits
    tls_context: ssl.SSLContext | None

    @classmethod
    def check_config(cls, cfg: Any, _: Any) -> None:
        """Refuse what this worker would ignore. Raises RuntimeError, which gunicorn prints."""
        if cfg.is_ssl:
            raise RuntimeError(
                "certfile and keyfile are not used: set SESSIONARY_TLS_CERTIFICATE and "
                "SESSIONARY_TLS_KEY"
            )

    def init_process(self) -> None:
        sys.setswitchinterval(_SWITCH_SECONDS)
        limits = replace(self.limits, processes=self.cfg.workers)
        self.server = HttpServer(self.sockets, limits, self.tls_context)
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        for each in (signal.SIGINT, signal.SIGHUP):  # a terminal sends them to all: ignore them,
            signal.signal(each, signal.SIG_IGN)  # the parent decides
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def run(self) -> None:
        application: Any = self.wsgi
        self.server.run(application, self._heartbeat)
        application.extensions["sessionary"].disconnect()  # the last of all merges the WAL
        gc.freeze()  # or the exit takes five times as long, to collect what is freed anyway

    def _heartbeat(self) -> None:
        self.notify()
        if self.ppid != os.getppid():
            self.server.stop()

    def handle_exit(self, sig: int, _: Any) -> None:
        """Finish what is in flight. A repeated signal must not interrupt the exit."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [sig])
        self.alive = False
        self.server.stop()

    def handle_quit(self, *_: Any) -> None:
        """Finish what the loop's thread does now, and wait for nothing else.

        gunicorn's own raises SystemExit here: in the middle of anything, a lock or a transaction.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        self.alive = False
        self.server.quit()


def make_worker(settings: Settings) -> type[Worker]:
    """Make the worker class of a server, before workers are forked. Raises BadSetting."""
    raise_open_files()
    limits = Limits(
        threads=settings.threads,
        max_connections=max_connections(settings.threads),
        max_body_bytes=settings.max_body_bytes,
        client_timeout_seconds=settings.client_timeout_seconds,
    )
    members = {"limits": limits, "tls_context": tls.make_context(settings)}
    return type("SessionaryWorker", (Worker,), members)
