"""Galtea's errors, and the one shape of their bodies."""

from collections.abc import Iterable
from http.client import responses
from typing import ClassVar


class GalteaError(Exception):
    """An error answered as Galtea does: a status and a sentence.

    Source: client, docs (validation and constraints are 400, never 409 or 422).
    """

    status: ClassVar = 400


class NotFound(GalteaError):
    """Nothing of the caller's organization has these ids. Source: client (JSON, never HTML)."""

    status = 404

    def __init__(self, kind: str, ids: Iterable[str]) -> None:
        super().__init__(f"{kind} not found: {', '.join(ids)}")


class CustomIdTaken(GalteaError):
    """Another session of this version has the customId. Source: client (a 400)."""

    def __init__(self, custom_id: str, version: str) -> None:
        super().__init__(
            f"A Session with the same customId: '{custom_id}' already exists "
            f"for version with ID: '{version}'."
        )


class NoOrganization(GalteaError):
    """The key's user has no organization to keep sessions in. Assumed: 403."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This key belongs to no organization")


def body(status: int, message: str) -> dict[str, str]:
    """`{"error": "Not Found", "message": …}`, always both. Source: client.

    Assumed: `error` is the status's own name; a 500 says nothing more.
    """
    text = "Something went wrong" if status == 500 else message
    return {"error": responses.get(status, "Error"), "message": text}
