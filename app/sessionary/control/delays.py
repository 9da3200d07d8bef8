"""Delays of faults: calls that are held without a thread that waits for them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sessionary.control.faults import matching
from sessionary.control.faults.matching import FaultRow
from sessionary.control.journal.recorder import is_recorded_later
from sessionary.durations import monotonic
from sessionary.store import ContentsReplaced, Namespace, NamespaceClosed
from sessionary.web.held import Delay, Held, call_when_free

_LOOK_SECONDS = 1.0  # between two looks at a fault that another process may disarm


@contextmanager
def activate_unchanged(namespace: Namespace, generation: int) -> Iterator[None]:
    """Activate a namespace as it was when the call arrived.

    Raises ConnectionResetError if it was dropped, reset or restored since.
    """
    try:
        with namespace.activate(generation):
            yield
    except (NamespaceClosed, ContentsReplaced):
        raise matching.connection_dropped() from None


class DelayedCall:
    """A call that a fault holds until its delay is over, the fault is disarmed or the server stops.

    It is answered then; or cut, at once, if its namespace is dropped, reset or restored.
    """

    def __init__(
        self,
        namespace: Namespace,
        generation: int,
        environ: dict[str, Any],
        fault: FaultRow,
        answer: Callable[[FaultRow], Iterable[bytes]],
    ) -> None:
        self._namespace = namespace
        self._generation = generation
        self._fault = fault
        self._answer = answer
        self._environ = environ
        self._call = partial(call_when_free, namespace, environ)
        self._due = monotonic() + fault.delay_us / 1_000_000

    def held(self) -> Held:
        seconds = max(0.0, self._due - monotonic())
        if not self._namespace.is_in_memory:  # another worker may disarm the fault
            seconds = min(seconds, _LOOK_SECONDS)
        delay = Delay(seconds)
        self._namespace.add_delay(delay)
        look = partial(self._call, partial(self._look, delay), may_write=False)
        return Held(look, delay=delay)

    def _look(self, delay: Delay) -> Iterable[bytes]:
        with activate_unchanged(self._namespace, self._generation):
            is_armed = matching.is_armed(self._fault.id)
            if is_armed and monotonic() < self._due and not delay.is_cut:
                return self.held()
        # A fault that was disarmed has only delayed the call.
        fault = self._fault if is_armed else self._fault._replace(kind=matching.LATENCY)
        may_write = not is_recorded_later(self._environ)
        return self._call(partial(self._answer, fault), may_write=may_write)
