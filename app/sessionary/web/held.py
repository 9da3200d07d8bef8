"""A response that is made later, without a thread that waits for it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal

from sessionary import store
from sessionary.durations import monotonic
from sessionary.store import Namespace, TooLarge

Make = Callable[[], Iterable[bytes]]
Layer = Callable[[Make], Iterable[bytes]]
# "committed": the writer's thread, once what the request wrote is on the disk.
Thread = Literal["pool", "control", "writer", "committed", "medium", "large"]
# The key of a request's environment that says how large its response may be, by the thread that
# makes it: absent for one that others wait for, then MEDIUM, then LARGE.
LOAD = "sessionary.load"
MEDIUM, LARGE = 1, 2
# The key for the instant, of `monotonic`, from which the call has waited for such a thread.
LOADED_AT = "sessionary.loaded_at"
# The key that is set if the loop of a server makes the call: it must not wait.
ON_LOOP = "sessionary.on_loop"
# The key of a function that returns whether the server has closed the connection.
IS_ABORTED = "sessionary.is_aborted"
READS = ("GET", "HEAD", "OPTIONS")


class Delay:
    """A time to wait, which `end` may end on any thread."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.on_end: Callable[[], Any] = bool  # set by a server that waits with a timer
        self.is_cut = False  # the server stops
        self._has_ended = threading.Event()

    def end(self) -> None:
        self._has_ended.set()
        self.on_end()

    def has_ended(self) -> bool:
        return self._has_ended.is_set()

    def wait(self) -> None:
        self._has_ended.wait(self.seconds)


class Held:
    """The body of a response that `make` produces after a delay; `make` calls start_response.

    The HTTP core waits with a timer, and runs `make` on its loop or on a thread of this kind. Any
    other server iterates over the body, which waits first.
    """

    def __init__(
        self, make: Make, *, delay: Delay | None = None, thread: Thread | None = None
    ) -> None:
        self.make = make
        self.delay = delay
        self.thread = thread
        self._body: Iterable[bytes] = ()

    def __iter__(self) -> Iterator[bytes]:
        body: Iterable[bytes] = self
        while isinstance(body, Held):
            if body.delay is not None:
                body.delay.wait()
            body = body.make()
        self._body = body
        yield from body

    def close(self) -> None:
        """Close the body, as a WSGI server does at the end."""
        getattr(self._body, "close", bool)()


def call_within(layer: Layer, make: Make) -> Iterable[bytes]:
    """Call within a layer of middleware; the response of a held call is made within it, too."""
    body = layer(make)
    if not isinstance(body, Held):
        return body
    make_within = partial(call_within, layer, body.make)
    return Held(make_within, delay=body.delay, thread=body.thread)


def call_by_size(environ: dict[str, Any], make: Make) -> Iterable[bytes]:
    """Make a response; if it is too large for this thread, it is made again on another one."""
    try:
        return make()
    except TooLarge:
        load = environ[LOAD] = environ.get(LOAD, 0) + 1
        environ[LOADED_AT] = monotonic()
        thread: Thread = "medium" if load == MEDIUM else "large"
        return Held(partial(call_by_size, environ, make), thread=thread)


def call_when_free(
    namespace: Namespace, environ: dict[str, Any], make: Make, *, may_write: bool
) -> Iterable[bytes]:
    """Make a response; if the server's loop would wait for a lock or the disk, a thread makes it.

    What writes to a file is made by the writer thread, one after the other. It may wait for a lock
    no longer than the busy timeout, counted from now. A read that has to write is called again.
    """
    make = partial(call_by_size, environ, make)
    if ON_LOOP not in environ:
        return make()
    if namespace.is_in_memory:
        with namespace.lock_if_free() as is_free:
            return make() if is_free else Held(make, thread="pool")
    if may_write:
        return _hold_for_writer(namespace, make)
    try:
        with store.without_waiting():
            namespace.database.stop_waiting()
            return make()
    except store.WouldWait:
        return _hold_for_writer(namespace, make)
    except Exception as error:
        if not store.is_busy(error):
            raise
        return _hold_for_writer(namespace, make)


def _hold_for_writer(namespace: Namespace, make: Make) -> Held:
    due = monotonic() + namespace.busy_timeout_seconds

    def make_in_turn() -> Iterable[bytes]:
        with store.wait_until(due):
            body = make()
        group = store.current_group()
        if group is None or not group.has_begun:
            return body
        return Held(partial(_confirm, group, body), thread="committed")

    return Held(make_in_turn, thread="writer")


def _confirm(group: store.CommitGroup, body: Iterable[bytes]) -> Iterable[bytes]:
    """Return the response of a request whose writes were committed. Raises why they were not."""
    if group.error is None:
        return body
    getattr(body, "close", bool)()
    raise group.error
