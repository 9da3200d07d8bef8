"""What the namespaces of a double hold: counts, clocks, and what each is a copy of."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sessionary import store
from sessionary.control.blueprint import control
from sessionary.control.clock import clock_to_json
from sessionary.control.counters import Counts
from sessionary.control.errors import ApiError
from sessionary.control.journal import models
from sessionary.store import Namespace
from sessionary.web.context import settings
from sessionary.web.instants import to_text


def list_details(
    names: list[str], find: Callable[[str], Namespace], after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the details of a page of namespaces, and the `after` of the next page."""
    if after is not None and after not in names:
        raise ApiError(400, "after: must be the `next` of the page before")
    names = names[0 if after is None else names.index(after) + 1 :]
    details = []
    for name in names[:limit]:
        with suppress(store.NoSuchNamespace, store.NamespaceClosed):  # another call dropped it
            details.append(_to_json(name, find(name)))
    return details, names[limit - 1] if len(names) > limit else None


def _to_json(name: str, namespace: Namespace) -> dict[str, Any]:
    with namespace.activate_briefly():
        counts = Counts.of(control().surfaces)
        last_call_at = models.last_call_at.one() if settings().journal else None
        return {
            "name": name,
            "clock": clock_to_json(),
            "session_count": counts.sessions,
            "open_count": counts.open,
            "call_count": counts.calls,
            "fault_count": counts.faults,
            "last_call_at": None if last_call_at is None else to_text(last_call_at),
            "parent": namespace.parent,
        }
