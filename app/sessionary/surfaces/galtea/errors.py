"""Galtea's errors, and the one shape of their bodies."""

from collections.abc import Iterable
from http.client import responses


class GalteaError(Exception):
    """A sentence and a status. Source: client, docs (400 for constraints, never 409 or 422)."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class NotFound(GalteaError):
    """Nothing of the caller's organization has these ids. Source: client (JSON, never HTML)."""

    def __init__(self, kind: str, ids: Iterable[str]) -> None:
        super().__init__(f"{kind} not found: {', '.join(ids)}", 404)


def body(status: int, message: str) -> dict[str, str]:
    """`{"error": "Not Found", "message": …}`. Source: client. Assumed: the status's own name."""
    text = "Something went wrong" if status == 500 else message
    return {"error": responses.get(status, "Error"), "message": text}
