"""How long the running code may wait for a lock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sessionary.durations import monotonic

_POLL_SECONDS = 0.001
_FORBIDDEN = 0.0
_due: ContextVar[float | None] = ContextVar("sessionary_wait_due", default=None)


class WouldWait(BaseException):
    """A write in `without_waiting` has not begun, since it may wait for a lock or the disk.

    No handler of errors stops it: the whole call is made again where it may wait.
    """


@contextmanager
def wait_until(due: float | None) -> Iterator[None]:
    """Let locks be waited for until this instant of `monotonic`, as long as the block lasts."""
    token = _due.set(due)
    try:
        yield
    finally:
        _due.reset(token)


@contextmanager
def without_waiting() -> Iterator[None]:
    """Raise WouldWait where the block would write to a file."""
    with wait_until(_FORBIDDEN):
        yield


def due_in(seconds: float) -> float:
    """Return until when a lock may be waited for, by default so many seconds from now.

    Raises WouldWait in `without_waiting`.
    """
    due = _due.get()
    if due == _FORBIDDEN:
        raise WouldWait
    return monotonic() + seconds if due is None else due


def poll(is_done: Callable[[], bool], due: float) -> bool:
    """Try until it is done; return False at this instant of `monotonic`. It tries at least once."""
    while not is_done():
        if monotonic() >= due:
            return False
        time.sleep(_POLL_SECONDS)
    return True
