"""What no response waits for: rows that are written, and jobs that run, after it."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from sessionary.store.errors import is_unavailable
from sessionary.store.waits import WouldWait, may_wait

if TYPE_CHECKING:
    from sessionary.store.database import Namespace

_BATCH_SIZE = 100  # writes in a transaction
_MAX_COUNT = 500
_log = logging.getLogger("sessionary")


class Later:
    """Writes and jobs of a namespace, in order, on one thread that starts with the first."""

    def __init__(self, namespace: "Namespace") -> None:
        self._namespace = namespace
        self._writes: deque[tuple[int, Callable[[], object]]] = deque()  # each with a generation
        self._is_scheduled = False
        self._writing = threading.Lock()
        self._starting = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, job: Callable[[], object]) -> None:
        """Run a job after those before it. It handles its errors itself."""
        with self._starting:
            self._pool = self._pool or ThreadPoolExecutor(1)
            self._pool.submit(job)

    def add(self, write: Callable[[], object]) -> bool:
        """Call this in a transaction with others; return False if too many wait for theirs.

        It is not called once the namespace has other contents.
        """
        if len(self._writes) >= _MAX_COUNT:
            return False
        self._writes.append((self._namespace.generation, write))
        if not self._is_scheduled:
            self._is_scheduled = True
            self.submit(self._write_added)
        return True

    def flush(self) -> None:
        """Write what was added until now, outside of any transaction.

        Raises WouldWait in `without_waiting`, and the errors of a database that is unavailable,
        which leave the writes for a later time.
        """
        left = len(self._writes)
        if left and not may_wait():
            raise WouldWait
        while left > 0 and self._writes:
            with self._writing:
                left -= self._write_batch()

    def finish(self) -> None:
        """Wait until all writes and jobs are done, and end the thread."""
        with self._starting:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _write_added(self) -> None:
        self._is_scheduled = False
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - there is nobody to tell
            if not is_unavailable(error):  # requests report an outage themselves
                _log.exception("cannot write what responses have not waited for")

    def _write_batch(self) -> int:
        from sessionary.store.transactions import transaction  # which imports the namespace

        batch = list(islice(self._writes, _BATCH_SIZE))
        try:
            with self._namespace.activate(), transaction("normal"):
                for generation, write in batch:
                    if generation == self._namespace.generation:
                        write()
        except Exception as error:
            if is_unavailable(error):
                raise
            _log.exception("%d writes that no response has waited for are lost", len(batch))
        for _ in batch:
            self._writes.popleft()
        return len(batch)
