"""What the control plane refuses, and the one shape of it: a problem document (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

CONTENT_TYPE = "application/problem+json"


class Refusal(Exception):
    """A refusal: a status, and a sentence that says what to send instead."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def body(status: int, detail: str, errors: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """The document; `errors` are places, as JSON pointers or names, and what is wrong there."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        document["errors"] = [{"pointer": place, "detail": said} for place, said in errors]
    return document
