"""The thread that answers requests that write, one after the other."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread

from sessionary import store
from sessionary.durations import monotonic
from sessionary.http_server.outcome import Outcome, Pending

_GROUP_SECONDS = 0.01  # after which a group takes no more requests: other processes wait

Respond = Callable[[], Outcome]


class _Job:
    """A request that writes."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._outcome: Outcome = False
        self.answering: Future[Outcome] = Future()

    def run(self) -> None:
        """Answer the request, unless its response waits for the commit."""
        try:
            self._outcome = self._respond()
        except BaseException as error:  # noqa: BLE001 - the loop closes the connection
            self.answering.set_exception(error)

    def finish(self) -> None:
        """Make the response, after the commit."""
        if self.answering.done():
            return
        if isinstance(self._outcome, Pending) and self._outcome.held.thread == "committed":
            self._respond = self._outcome.respond
            self.run()
        if not self.answering.done():
            self.answering.set_result(self._outcome)


class Writer:
    """A pool of one thread. What requests write that wait together is committed together."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._is_shut_down = False

    def submit(self, respond: Respond) -> "Future[Outcome]":
        """Answer a request after those that came before; on the loop's thread only."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="sessionary-writer", daemon=True)
            self._thread.start()
        job = _Job(respond)
        self._jobs.put(job)
        return job.answering

    def shutdown(self) -> None:
        """Wait for the requests that are being answered, and drop the others."""
        self._is_shut_down = True
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._is_shut_down:  # a group may have taken the None of `shutdown`
            self._answer_group(self._jobs.get())

    def _answer_group(self, job: _Job | None) -> None:
        jobs = []
        with store.commit_group() as group:
            ends_at = monotonic() + _GROUP_SECONDS
            while job is not None:
                job.run()
                jobs.append(job)
                may_go_on = group.has_begun and monotonic() < ends_at and not self._jobs.empty()
                job = self._jobs.get() if may_go_on else None
        for each in jobs:
            each.finish()
