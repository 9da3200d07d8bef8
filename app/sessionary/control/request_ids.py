"""Request ids and dates of a namespace whose ids have a seed: two runs give the same."""

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import peewee as pw

from sessionary import clock, ids, logs, store
from sessionary.clock import SECOND
from sessionary.control.blueprint import CONTROL_PATH
from sessionary.store import Statement
from sessionary.web.events import REQUEST_ID

_IS_ASSIGNED = "sessionary.request_id_is_assigned"  # environ key: a call may be made again


class RequestSequence(store.Model):
    """One row, once there was a vendor call: how many there were."""

    id = pw.IntegerField(primary_key=True)
    count = pw.IntegerField()

    class Meta:
        table_name = "control_requests"


_count = Statement(
    tuple,
    lambda: RequestSequence.insert(id=1, count=1).on_conflict(
        conflict_target=[RequestSequence.id], update={"count": RequestSequence.count + 1}
    ),
)
_last = Statement(lambda row: int(row[0]), lambda: RequestSequence.select(RequestSequence.count))


def assign(environ: dict[str, Any], start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Give a request of the active namespace its id, if its ids have a seed.

    Returns the `start_response` to call, which then adds the namespace's date. A request that
    brings an id keeps it. A control call is not counted: reading writes nothing. Its id follows
    from its path and the calls before it.
    """
    if not ids.is_seeded():
        return start_response
    is_own = environ.get("HTTP_X_REQUEST_ID") == environ[REQUEST_ID]
    if not is_own and _IS_ASSIGNED not in environ:
        environ[REQUEST_ID] = ids.request_id(_place(environ))
        environ[_IS_ASSIGNED] = True
        logs.request_id.set(environ[REQUEST_ID])
    date = formatdate(clock.now() // SECOND, usegmt=True)

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("Date", date)], *rest)

    return start


def _place(environ: dict[str, Any]) -> str:
    path = environ["PATH_INFO"]
    if path.startswith(CONTROL_PATH):
        call = f"{environ['REQUEST_METHOD']} {path}?{environ.get('QUERY_STRING', '')}"
        return f"{_last.one() or 0}:{call}"
    with store.transaction():
        _count.run()
        return f"request:{_last.one()}"
