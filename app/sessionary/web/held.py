"""A response that is made later, without a thread that waits for it."""

import time
from collections.abc import Callable, Iterable, Iterator

Make = Callable[[], Iterable[bytes]]
Layer = Callable[[Make], Iterable[bytes]]


class Held:
    """The body of a response that `make` produces in `seconds`; `make` calls start_response.

    The HTTP core waits with a timer, and runs a `make` that may block on a thread. Any other server
    iterates over the body, which sleeps first.
    """

    def __init__(self, make: Make, *, seconds: float = 0, may_block: bool = False) -> None:
        self.make = make
        self.seconds = seconds
        self.may_block = may_block

    def __iter__(self) -> Iterator[bytes]:
        time.sleep(self.seconds)
        yield from self.make()


def call_within(layer: Layer, make: Make) -> Iterable[bytes]:
    """Call within a layer of middleware; the response of a held call is made within it, too."""
    body = layer(make)
    if not isinstance(body, Held):
        return body
    return Held(
        lambda: call_within(layer, body.make), seconds=body.seconds, may_block=body.may_block
    )
