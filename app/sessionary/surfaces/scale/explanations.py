"""Why a Scale session is what it is, for whoever may ask about any session."""

import peewee as pw

from sessionary import ids
from sessionary.store import Statement, counting, given
from sessionary.surfaces.scale import models, rules
from sessionary.surfaces.scale.models import COLUMNS, Count, Session, SessionRow
from sessionary.web.instants import to_text
from sessionary.web.telling import Explanation, SessionQueries, origin

_page = Statement(
    lambda found: (int(found[0]), SessionRow._make(found[1:])),
    lambda: (
        Session.select(Session.seq, *COLUMNS)
        .where(Session.seq > given("place"))
        .order_by(Session.seq)
        .limit(given("limit"))
    ),
)


_counts = counting(
    (rules.LIVE, rules.ARCHIVED),
    lambda: Count.select(
        *(pw.fn.COALESCE(pw.fn.SUM(each), 0) for each in (Count.live, Count.archived))
    ),
)


def explain(row: SessionRow, now: int) -> Explanation:
    """Its status, which is the same at every instant: only a call changes it."""
    status = rules.status(row, now)
    return _archived(row) if status == rules.ARCHIVED else _live(row)


def _archived(row: SessionRow) -> Explanation:
    """An archived session takes no call that leaves it archived: its last write archived it."""
    return Explanation(
        status=rules.ARCHIVED,
        since_at=row.updated_at,
        rule="call",
        reason=f"a call archived it at {to_text(row.updated_at)}",
        inputs=_inputs(row),
        unless="without that call it would be live for good; "
        f'PATCH /v4/sessions/{row.id} with {{"restore": true}} makes it live again',
        source=origin(rules.status),
    )


def _live(row: SessionRow) -> Explanation:
    """Whether a call had archived it before its last write is not kept."""
    return Explanation(
        status=rules.LIVE,
        since_at=row.updated_at,
        rule="no_deadline",
        reason="no call has archived it since it was last written, and nothing else ends it, "
        "not even the end of its window",
        inputs=_inputs(row),
        unless=f"it stays live until DELETE /v4/sessions/{row.id}, or a PATCH of its archived_at",
        source=origin(rules.transitions),
    )


def _inputs(row: SessionRow) -> dict[str, int | None]:
    names = ("created_at", "updated_at", "start_date", "end_date", "archived_at")
    return {name: getattr(row, name) for name in names}


sessions = SessionQueries(
    find=lambda id: models.by_id.one(id=ids.canonical(id)),
    page=lambda place, limit: _page.all(place=place, limit=limit),
    changing=lambda after, until, limit: [],  # noqa: ARG005 - none changes by itself
    id=lambda row: row.id,
    transitions=rules.transitions,
    explain=explain,
    is_open=lambda row, now: rules.status(row, now) == rules.LIVE,
    counts=lambda _: _counts.one() or {},
    session_columns={Session: "id"},
)
