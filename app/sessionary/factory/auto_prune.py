"""Prunes old sessions in small batches after write requests, without a background worker."""

import logging
import threading
from collections.abc import Sequence

from sessionary import clock, store
from sessionary.durations import monotonic
from sessionary.store import Namespace
from sessionary.surfaces import SURFACES
from sessionary.web.events import RequestFinished
from sessionary.web.held import READS
from sessionary.web.surface import Surface

_log = logging.getLogger("sessionary")
_DAY = 86_400_000_000
_MAX_KEYS, _MAX_REMOVED = 2_000, 50  # per batch
_REST_SECONDS, _RETRY_SECONDS = 3600, 60


class AutoPrune:
    """Goes through all sessions once an hour, one batch after each write, in each worker."""

    def __init__(
        self,
        namespace: Namespace,
        days: int,
        surfaces: Sequence[Surface] = SURFACES,
        *,
        rest_seconds: float = _REST_SECONDS,
    ) -> None:
        self._retentions = [each.retention for each in surfaces if each.retention is not None]
        self._namespace = namespace
        self._age_us = days * _DAY
        self._rest_seconds = rest_seconds
        self._due = 0.0
        self._remaining = list(self._retentions)
        self._after = 0
        self._lock = threading.Lock()

    def on_request_finished(self, request: RequestFinished) -> None:
        """Have a batch of old sessions removed if the request wrote and pruning is due."""
        is_write = request.method not in READS and request.status in range(200, 300)
        is_due = is_write and bool(self._remaining) and monotonic() >= self._due
        if is_due and self._lock.acquire(blocking=False):
            self._namespace.later.submit(self._prune)

    def _prune(self) -> None:
        try:
            with self._namespace.activate():
                self._prune_batch(clock.now() - self._age_us)
        except Exception as error:  # noqa: BLE001 - no response waits for it
            self._due = monotonic() + _RETRY_SECONDS
            if not store.is_unavailable(error):  # requests report an outage themselves
                _log.exception("cannot prune: next attempt in %d s", _RETRY_SECONDS)
        finally:
            self._lock.release()

    def _prune_batch(self, before_at: int) -> None:
        retention, until = self._remaining[0], self._after + _MAX_KEYS
        keys = retention.ended.all(
            before_at=before_at, after=self._after, until=until, limit=_MAX_REMOVED
        )
        if len(keys) == _MAX_REMOVED:
            until = keys[-1]
        if keys:
            store.run_batch(keys, lambda batch: retention.remove(batch, before_at))
        self._after = keys[0] - 1 if keys else until  # run_batch leaves keys when time runs out
        if self._after < (retention.last.one() or 0):
            return
        self._after = 0
        self._remaining.pop(0)
        if not self._remaining:
            self._remaining = list(self._retentions)
            self._due = monotonic() + self._rest_seconds
