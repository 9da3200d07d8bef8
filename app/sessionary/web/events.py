"""What is told of a request once it is answered: to the log, and to who counts."""

from collections.abc import Callable
from typing import NamedTuple

# The environ key for the reason of a refusal: one of the two failures below.
FAILURE = "sessionary.failure"
BAD_KEY, DISORDER = "key", "disorder"


class RequestFinished(NamedTuple):
    """An answered request, without anything secret: no path, query, header or body."""

    request_id: str
    surface: str | None  # whose the path is
    method: str  # one of HTTP's, or OTHER
    route: str | None  # the pattern, as the surface's OpenAPI document has it
    status: int | None  # None where the connection was dropped instead
    seconds: float
    organization: str | None  # the caller's
    failure: str | None  # BAD_KEY or DISORDER, where it was refused for one


Observer = Callable[[RequestFinished], None]
