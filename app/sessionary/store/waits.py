"""How long the running code may wait for a lock."""

import time
from collections.abc import Callable
from contextvars import ContextVar

from sessionary.durations import monotonic

_POLL_SECONDS = 0.001
_FORBIDDEN = 0.0
_due: ContextVar[float | None] = ContextVar("sessionary_wait_due", default=None)


class WouldWait(BaseException):
    """What may wait for a lock or the disk has not begun in `without_waiting`.

    No handler of errors stops it: the whole call is made again where it may wait.
    """


class wait_until:  # noqa: N801 - used as a function; every request enters one
    """Let locks be waited for until this instant of `monotonic`, as long as the block lasts."""

    def __init__(self, due: float) -> None:
        self._due = due

    def __enter__(self) -> None:
        self._token = _due.set(self._due)

    def __exit__(self, *_: object) -> None:
        _due.reset(self._token)


def without_waiting() -> wait_until:
    """Raise WouldWait where the block would write to a file."""
    return wait_until(_FORBIDDEN)


def may_wait() -> bool:
    """Return whether the running code is not in `without_waiting`."""
    return _due.get() != _FORBIDDEN


def due_in(seconds: float) -> float:
    """Return until when a lock may be waited for, by default so many seconds from now.

    Raises WouldWait in `without_waiting`.
    """
    if not may_wait():
        raise WouldWait
    due = _due.get()
    return monotonic() + seconds if due is None else due


def poll(is_done: Callable[[], bool], due: float) -> bool:
    """Try until it is done; return False at this instant of `monotonic`. It tries at least once."""
    while not is_done():
        if monotonic() >= due:
            return False
        time.sleep(_POLL_SECONDS)
    return True
