"""Mobile Next's sessions that ended long ago. What marks the order of new ones stays."""

from typing import Any

import peewee as pw

from sessionary.store import Statement, param, param_list
from sessionary.surfaces.mobilenext.models import Allocation, Session
from sessionary.web import json_codec
from sessionary.web.surface import Retention

_rowid = pw.SQL('"t1"."rowid"')


def _has_ended() -> Any:
    """rules.released_at(row, at) < before_at, or void before it, as SQL says it."""
    outlived = Session.released_at.is_null() & (Session.expires_at < param("before_at"))
    void = Session.created_at.is_null() & (Session.void_at < param("before_at"))
    return (Session.released_at < param("before_at")) | outlived | void


_ended = Statement(
    lambda row: int(row[0]),
    lambda: (
        Session.select(_rowid)
        .where(
            pw.Expression(_rowid, ">", param("after")),
            pw.Expression(_rowid, "<=", param("until")),
            _has_ended(),
        )
        .order_by(_rowid)
        .limit(param("limit"))
    ),
)
_last = Statement(lambda row: int(row[0] or 0), lambda: Session.select(pw.fn.MAX(_rowid)))
_meant = Statement(
    lambda row: str(row[0]),
    lambda: Session.select(Session.id).where(
        pw.Expression(_rowid, "IN", param_list("keys")), _has_ended()
    ),
)
_remove_allocations = Statement(
    tuple, lambda: Allocation.delete().where(Allocation.session.in_(param_list("ids")))
)
_remove = Statement(tuple, lambda: Session.delete().where(Session.id.in_(param_list("ids"))))


def _removed(keys: list[int], before_at: int) -> int:
    ids = json_codec.encode(_meant.all(keys=json_codec.encode(keys), before_at=before_at))
    _remove_allocations.run(ids=ids)
    return _remove.run(ids=ids)


retention = Retention(_ended, _last, _removed)
