"""The event that follows each response, for the access log and for metrics."""

from collections.abc import Callable
from typing import NamedTuple

REQUEST_ID = "sessionary.request_id"  # the key of a request's environment for its id
# The key of a request's environment for the reason of a refusal: one of the two below.
FAILURE = "sessionary.failure"
INVALID_KEY, OUTAGE = "invalid_key", "outage"
# The key for the status and the message of a request that the HTTP core could not read.
REFUSED = "sessionary.refused"


class RequestFinished(NamedTuple):
    """A request after its response, without secrets: no path, query, header or body."""

    request_id: str
    surface: str | None  # of the path
    method: str  # OTHER if it is not a method of HTTP
    route: str | None  # path template, as in the surface's OpenAPI document
    status: int | None  # None if the connection was cut
    seconds: float
    organization: str | None  # the caller's
    failure: str | None  # INVALID_KEY, OUTAGE or None


Observer = Callable[[RequestFinished], None]
