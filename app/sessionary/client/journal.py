"""A namespace's journal of calls, from outside."""

from typing import Any, TypedDict, Unpack

from sessionary.client.responses import Call, RequestExplanation
from sessionary.client.transport import Calls

_LONGEST_PAGE = 1000


class Filters(TypedDict, total=False):
    """Which calls are meant: those of a surface, about a session, with a status (404 or "4xx")."""

    surface: str | None
    session: str | None
    status: int | str | None


class Journal:
    """Finds and counts what the vendors' clients called; a filter that is left out lets all pass.

    `path` is a route (`/sessions/{id}`) or one path, with or without its surface's prefix.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> list[Call]:
        """The calls that pass, in order: all, or the first `limit`."""
        found: list[Call] = []
        after: int | None = None
        while limit is None or len(found) < limit:
            most = _LONGEST_PAGE if limit is None else min(limit - len(found), _LONGEST_PAGE)
            page = self._get("", method, path, filters, after=after, limit=most)
            found += page["calls"]
            after = page["next"]
            if after is None:
                break
        return found

    def count(
        self, method: str | None = None, path: str | None = None, **filters: Unpack[Filters]
    ) -> int:
        """How many calls pass."""
        found: int = self._get("/count", method, path, filters)["count"]
        return found

    def dropped(self) -> int:
        """How many of the oldest calls were let go, because there were more than are kept."""
        found: int = self._calls("GET", "journal/count")["dropped_count"]
        return found

    def clear(self) -> None:
        """Forget every call."""
        self._calls("DELETE", "journal")

    def explain(self, call: int) -> RequestExplanation:
        """What was wrong with the call of this id, all of it."""
        found: RequestExplanation = self._calls("GET", f"journal/{call}/explain")
        return found

    def _get(
        self, what: str, method: str | None, path: str | None, filters: Filters, **place: Any
    ) -> Any:
        query = {"method": method, "path": path, **filters, **place}
        return self._calls("GET", f"journal{what}", query=query)
