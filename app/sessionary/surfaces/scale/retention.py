"""Scale's sessions that were archived long ago: no other ever ends."""

from typing import Any

import peewee as pw

from sessionary.store import Statement, given, given_list
from sessionary.surfaces.scale import models
from sessionary.surfaces.scale.models import Session
from sessionary.web import json_codec
from sessionary.web.retention import Retention


def _has_ended() -> Any:
    """By the instant it shows, which a caller may have made up, and by that of the call."""
    return (Session.archived_at < given("before_at")) & (Session.updated_at < given("before_at"))


def _is_meant() -> Any:
    return Session.seq.in_(given_list("keys")) & _has_ended()


_ended = Statement(
    lambda row: int(row[0]),
    lambda: (
        Session.select(Session.seq)
        .where(Session.seq > given("after"), Session.seq <= given("until"), _has_ended())
        .order_by(Session.seq)
        .limit(given("limit"))
    ),
)
_by_account = Statement(
    lambda row: (str(row[0]), int(row[1])),
    lambda: (
        Session.select(Session.account_id, pw.fn.COUNT(Session.seq))
        .where(_is_meant())
        .group_by(Session.account_id)
    ),
)
_last = Statement(lambda row: int(row[0] or 0), lambda: Session.select(pw.fn.MAX(Session.seq)))
_remove = Statement(tuple, lambda: Session.delete().where(_is_meant()))


def _removed(keys: list[int], before_at: int) -> int:
    meant = {"keys": json_codec.encode(keys), "before_at": before_at}
    for account_id, count in _by_account.all(**meant):
        models.uncount_archived(account_id, count)
    return _remove.run(**meant)


retention = Retention(_ended, _last, _removed)
