"""What ended long ago is removed by those who write: there is nobody else who could."""

import logging
import threading
import time

from sessionary import clock, store
from sessionary.store import Namespace
from sessionary.surfaces import SURFACES
from sessionary.web.events import RequestFinished

_log = logging.getLogger("sessionary")
_RETENTIONS = [each.retention for each in SURFACES if each.retention is not None]
_DAY = 86_400_000_000
_LOOKED_AT, _REMOVED = 2_000, 50  # sessions at a time, at most
_REST_SECONDS, _RETRY_SECONDS = 3600, 60
_READS = ("GET", "HEAD", "OPTIONS")


class AutoPrune:
    """Goes through all sessions once an hour, a piece after each write, in each worker."""

    def __init__(
        self, namespace: Namespace, days: int, rest_seconds: float = _REST_SECONDS
    ) -> None:
        self._namespace = namespace
        self._ago = days * _DAY
        self._rest_seconds = rest_seconds
        self._due = 0.0
        self._left = list(_RETENTIONS)
        self._after = 0
        self._alone = threading.Lock()

    def on_request_finished(self, answered: RequestFinished) -> None:
        """A request was answered; if it wrote, remove some of what ended long ago."""
        is_write = answered.method not in _READS and answered.status in range(200, 300)
        if not is_write or time.monotonic() < self._due or not self._alone.acquire(blocking=False):
            return
        try:
            with self._namespace.activate():
                self._go_on(clock.now() - self._ago)
        except Exception as error:  # noqa: BLE001 - the answer stands
            self._due = time.monotonic() + _RETRY_SECONDS
            if not store.is_unavailable(error):  # which is told with the requests it hits
                _log.exception("cannot prune: tried again in %d s", _RETRY_SECONDS)
        finally:
            self._alone.release()

    def _go_on(self, before_at: int) -> None:
        retention, until = self._left[0], self._after + _LOOKED_AT
        found = retention.ended.all(
            before_at=before_at, after=self._after, until=until, limit=_REMOVED
        )
        if len(found) == _REMOVED:
            until = found[-1]
        if found:
            store.run_batch(found, lambda keys: retention.remove(keys, before_at))
        self._after = found[0] - 1 if found else until  # from where there was no time for more
        if self._after >= (retention.last.one() or 0):
            self._go_to_the_next()

    def _go_to_the_next(self) -> None:
        self._after = 0
        self._left.pop(0)
        if not self._left:
            self._left = list(_RETENTIONS)
            self._due = time.monotonic() + self._rest_seconds
