"""The journal of a namespace: its recorded vendor calls."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from sessionary.client.responses import Call, RequestExplanation
from sessionary.client.transport import MAX_PAGE, ControlApi

__tracebackhide__ = True  # pytest leaves the frames of this module out


class Filters(TypedDict, total=False):
    """Filters of calls: surface, session id, and status (404 or "4xx")."""

    surface: str | None
    session: str | None
    status: int | str | None


def place(call: Mapping[str, Any]) -> str:
    """Return the path of a call; the method that it names if it is a message of a WebSocket."""
    route = call["route"]
    return str(call["path"] if route is None or route.startswith("/") else route)


class Journal:
    """Finds and counts recorded calls. A filter that is None matches every call.

    `path` is a route (`/sessions/{id}`) or a path, with or without its surface's prefix.
    """

    def __init__(self, api: ControlApi) -> None:
        self._api = api

    def find(
        self,
        method: str | None = None,
        path: str | None = None,
        *,
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> list[Call]:
        """List matching calls in order: all, or the first `limit`."""
        found: list[Call] = []
        query = {"method": method, "path": path, **filters}
        after: int | None = None
        while limit is None or len(found) < limit:
            size = MAX_PAGE if limit is None else min(limit - len(found), MAX_PAGE)
            query |= {"after": after, "limit": size}
            page = self._api.request(dict, "GET", "journal", query=query)
            found += page["calls"]
            after = page["next"]
            if after is None:
                break
        return found

    def count(
        self, method: str | None = None, path: str | None = None, **filters: Unpack[Filters]
    ) -> int:
        """Count matching calls."""
        query = {"method": method, "path": path, **filters}
        return self._api.request(dict[str, int], "GET", "journal/count", query=query)["count"]

    def dropped_count(self) -> int:
        """Count the oldest calls, removed because the journal is full."""
        return self._api.request(dict[str, int], "GET", "journal/count")["dropped_count"]

    def clear(self) -> None:
        """Remove all calls."""
        self._api.send("DELETE", "journal")

    def explain(self, call: int) -> RequestExplanation:
        """List everything that was wrong with the call of this id."""
        return self._api.request(RequestExplanation, "GET", f"journal/{call}/explain")
