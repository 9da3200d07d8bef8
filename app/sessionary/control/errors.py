"""Errors of the control plane: ApiError, and problem documents (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from marshmallow import fields

from sessionary.control.fields import StrictSchema
from sessionary.web.fields import Integer, Text

CONTENT_TYPE = "application/problem+json"


class ApiError(Exception):
    """An error response: a status, and a sentence that says what to send instead."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ProblemPlace(StrictSchema):
    """A place in the request, as a JSON pointer or a name, and what is wrong there."""

    pointer = Text(required=True)
    detail = Text(required=True)


class ProblemResponse(StrictSchema):
    """A problem document (RFC 9457)."""

    type = Text(required=True)
    title = Text(required=True)
    status = Integer(required=True)
    detail = Text(required=True)
    errors = fields.List(fields.Nested(ProblemPlace))


def error_body(status: int, detail: str, places: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """Return a problem document; `places` are pairs of pointer and detail."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if places:
        document["errors"] = [{"pointer": pointer, "detail": text} for pointer, text in places]
    return document
