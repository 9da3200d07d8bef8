"""A response that is made later, without a thread that waits for it."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from sessionary.store import TooLarge

Make = Callable[[], Iterable[bytes]]
Layer = Callable[[Make], Iterable[bytes]]
# The key of a request's environment that says how large its response may be, by the thread that
# makes it: absent for one that others wait for, then MEDIUM, then LARGE.
LOAD = "sessionary.load"
MEDIUM, LARGE = 1, 2


class Held:
    """The body of a response that `make` produces in `seconds`; `make` calls start_response.

    The HTTP core waits with a timer, and runs a `make` that may block, or one with a load, on a
    thread. Any other server iterates over the body, which sleeps first.
    """

    def __init__(
        self, make: Make, *, seconds: float = 0, may_block: bool = False, load: int = 0
    ) -> None:
        self.make = make
        self.seconds = seconds
        self.may_block = may_block
        self.load = load

    def __iter__(self) -> Iterator[bytes]:
        time.sleep(self.seconds)
        yield from self.make()


def call_within(layer: Layer, make: Make) -> Iterable[bytes]:
    """Call within a layer of middleware; the response of a held call is made within it, too."""
    body = layer(make)
    if not isinstance(body, Held):
        return body
    return Held(
        partial(call_within, layer, body.make),
        seconds=body.seconds,
        may_block=body.may_block,
        load=body.load,
    )


def call_by_size(environ: dict[str, Any], make: Make) -> Iterable[bytes]:
    """Make a response; if it is too large for this thread, it is made again on another one."""
    try:
        return make()
    except TooLarge:
        load = environ[LOAD] = environ.get(LOAD, 0) + 1
        return Held(partial(call_by_size, environ, make), load=load)
