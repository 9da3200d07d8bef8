"""How a worker ends: once it has answered what is in flight, or at once, and always by itself."""

import signal
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from sessionary.http_server.connection import Client

# The signals that end a worker; one starts with them held back.
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class EndingWorker(ThreadWorker):
    """gunicorn's threaded worker, which can be told more than once to end, and at any time."""

    _leaves_now = False

    def init_process(self) -> None:
        self.lent: set[Client] = set()  # whom a thread serves
        # It ends by itself before its parent loses patience and kills it.
        self.cfg.set("graceful_timeout", self.cfg.graceful_timeout - 1)
        super().init_process()

    def init_signals(self) -> None:
        super().init_signals()
        for each in (signal.SIGINT, signal.SIGHUP):  # a terminal tells all; the parent decides
            signal.signal(each, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Finish what is in flight. Told twice, it must not be cut off while it leaves."""
        signal.pthread_sigmask(signal.SIG_BLOCK, [sig])
        super().handle_exit(sig, frame)

    def handle_quit(self, *_: Any) -> None:
        """Finish what this thread does, and wait for nobody.

        gunicorn's raises SystemExit here: in the midst of anything, a lock or a transaction.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        if not self._leaves_now:
            self._leaves_now, self.alive = True, False
            self.method_queue.defer(self._wait_no_longer)

    def run(self) -> None:
        super().run()
        self._leaves_now = True
        self._abandon()

    def _wait_no_longer(self) -> None:
        self.nr_conns = 0

    def _abandon(self) -> None:
        """Let no thread wait for its client any longer: the process would wait for the thread."""
        for client in self.lent:
            client.hang_up()
