"""What gunicorn demands of a worker process; the HTTP core serves in it."""

import os
import signal
from typing import Any

from gunicorn.workers.base import Worker as BaseWorker

from sessionary.http_server import HttpServer

# The signals that end a worker; a new worker starts with them blocked.
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Worker(BaseWorker):
    """A worker process that may be signalled to end at any time, and repeatedly."""

    def init_process(self) -> None:
        app: Any = self.app
        self.server = HttpServer(self.sockets, app.limits, app.tls_context)
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        for each in (signal.SIGINT, signal.SIGHUP):  # a terminal sends them to all: ignore them,
            signal.signal(each, signal.SIG_IGN)  # the parent decides
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def run(self) -> None:
        application: Any = self.wsgi
        self.server.run(application, self._heartbeat)

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
