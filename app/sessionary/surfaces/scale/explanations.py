"""Why a Scale session has its status."""

from sessionary import ids
from sessionary.surfaces.scale import queries, rules
from sessionary.surfaces.scale.models import Session, SessionRow
from sessionary.web.instants import to_text
from sessionary.web.surface import Explanation, SessionQueries


def explain(row: SessionRow, now: int) -> Explanation:
    """Explain the status, which is the same at every instant."""
    names = ("created_at", "updated_at", "start_date", "end_date", "archived_at", "status_since_at")
    inputs, since_at = {name: getattr(row, name) for name in names}, row.status_since_at
    if rules.is_live(row):
        rule, source = "no_deadline", "transitions"
        reason = (
            "no call has archived it since, and nothing else ends it, "
            "not even the end of its window"
        )
        unless = f"it stays live until DELETE /v4/sessions/{row.id}, or a PATCH of its archived_at"
    else:
        rule, source = "call", "status"
        reason = f"a call archived it at {to_text(since_at)}"
        unless = (
            "without that call it would be live for good; "
            f'PATCH /v4/sessions/{row.id} with {{"restore": true}} makes it live again'
        )
    status = rules.status(row, now)
    return Explanation(status, since_at, rule, reason, inputs, unless, rules.SOURCES[source])


sessions = SessionQueries(
    find=lambda id: queries.by_id.one(id=ids.canonical(id)),
    page=lambda place, limit: queries.control_page.rows(place=place, limit=limit),
    changing=lambda after, until, limit: [],  # noqa: ARG005 - none changes by itself
    id=lambda row: row.id,
    transitions=rules.transitions,
    explain=explain,
    status=rules.status,
    statuses={rules.LIVE: "open", rules.ARCHIVED: "closed"},
    counts=lambda _: queries.status_counts.one() or {},
    title=lambda row: row.title,
    lanes=queries.lanes,
    session_columns={Session: "id"},
)
