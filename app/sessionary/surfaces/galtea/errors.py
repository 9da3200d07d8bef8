"""Galtea's refusals, and the one shape of their bodies."""

from collections.abc import Iterable
from http.client import responses


class Refusal(Exception):
    """A refusal in Galtea's words: a status and a sentence.

    Source: client, docs (validation and constraints are 400, never 409 or 422).
    """

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Missing(Refusal):
    """Nothing of the caller's organization has these ids. Source: client (JSON, never HTML)."""

    status = 404

    def __init__(self, what: str, ids: Iterable[str]) -> None:
        super().__init__(f"{what} not found: {', '.join(ids)}")


class Taken(Refusal):
    """Another session of this version has the customId. Source: client (a 400)."""

    def __init__(self, custom_id: str, version: str) -> None:
        super().__init__(
            f"A Session with the same customId: '{custom_id}' already exists "
            f"for version with ID: '{version}'."
        )


class Homeless(Refusal):
    """The key's user has no organization to keep sessions in. Assumed: 403."""

    status = 403

    def __init__(self) -> None:
        super().__init__("This key belongs to no organization")


def body(status: int, message: str) -> dict[str, str]:
    """`{"error": "Not Found", "message": …}`, always both. Source: client.

    Assumed: the short text is the status's own name; of a 500 nothing more is said.
    """
    said = "Something went wrong" if status == 500 else message
    return {"error": responses.get(status, "Error"), "message": said}
