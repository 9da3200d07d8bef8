"""Errors of the control plane: ApiError, and problem documents (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from marshmallow import fields

from sessionary.control.fields import response_schema

CONTENT_TYPE = "application/problem+json"


class ApiError(Exception):
    """An error response: a status, and a sentence that says what to send instead."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


ProblemPlace = response_schema("ProblemPlace", text="pointer detail")
ProblemResponse = response_schema(
    "ProblemResponse",
    text="type title detail",
    integer="status",
    errors=fields.List(fields.Nested(ProblemPlace)),
)


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
