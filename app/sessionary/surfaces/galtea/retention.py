"""Galtea's sessions that ended long ago."""

from typing import Any

import peewee as pw

from sessionary.store import Statement, given, given_list
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import Session
from sessionary.web import json_codec
from sessionary.web.retention import Retention


def _has_ended() -> Any:
    """Deleted, closed by itself, or finished: then it ended with its last write, if not before."""
    finished = (Session.status != rules.PENDING) & (Session.written_at < given("before_at"))
    return (
        (Session.deleted_at < given("before_at"))
        | (Session.expires_at < given("before_at"))
        | finished
    )


_ended = Statement(
    lambda row: int(row[0]),
    lambda: (
        Session.select(Session.seq)
        .where(Session.seq > given("after"), Session.seq <= given("until"), _has_ended())
        .order_by(Session.seq)
        .limit(given("limit"))
    ),
)
_last = Statement(lambda row: int(row[0] or 0), lambda: Session.select(pw.fn.MAX(Session.seq)))
_remove = Statement(
    tuple, lambda: Session.delete().where(Session.seq.in_(given_list("keys")), _has_ended())
)


def _removed(keys: list[int], before_at: int) -> int:
    return _remove.run(keys=json_codec.encode(keys), before_at=before_at)


retention = Retention(_ended, _last, _removed)
