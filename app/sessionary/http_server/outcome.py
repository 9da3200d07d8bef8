"""What comes of a request: whether its connection goes on, or a response to be made later."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sessionary.web.held import Held

Application = Callable[[Any, Any], Any]  # WSGI


class Pending(NamedTuple):
    """A request with a response to be made later, by `respond`."""

    held: Held
    respond: Callable[[], "Outcome"]


# Whether the connection may have another request, or how to go on.
Outcome = bool | Pending
