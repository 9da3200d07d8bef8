"""Pruning removes sessions archived before an instant and updates the counts."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary.surfaces.scale import queries, rules
from sessionary.surfaces.scale.models import Session, SessionCount, SessionRow
from sessionary.surfaces.scale.queries import retention
from tests.conftest import App

some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
instants = st.integers(0, 9)
rows = st.builds(
    SessionRow,
    id=st.uuids().map(str),
    account_id=st.sampled_from(("acme", "zeta")),
    title=st.just(""),
    state=st.just("{}"),
    created_at=st.just(0),
    updated_at=instants,
    created_by_user_id=st.just("u"),
    created_by_identity_type=st.just("user"),
    start_date=st.none() | instants,
    end_date=st.none() | instants,
    archived_at=st.none() | instants,
)


def has_ended(row: SessionRow, before_at: int) -> bool:
    """A caller may give a past `archived_at`; `updated_at` is the call's instant."""
    return row.archived_at is not None and max(row.archived_at, row.updated_at) < before_at


@given(namespace=st.lists(rows, max_size=12, unique_by=lambda row: row.id), before_at=instants)
@some
def test_sessions_archived_before_are_removed_and_uncounted(
    app: App, namespace: list[SessionRow], before_at: int
) -> None:
    with app.namespace.activate():
        for table in (Session, SessionCount):
            table.delete().execute()
        for row in namespace:
            queries.insert.run(**row._asdict())
            queries.update_counts(None, row)
        ended = {row.id for row in namespace if has_ended(row, before_at)}
        assert {row.id for row in namespace if rules.has_ended(row, before_at)} == ended
        found = retention.ended.all(before_at=before_at, until=2**62, after=0, limit=100)
        assert {each.id for each in Session.select().where(Session.seq.in_(found))} == ended
        assert retention.ended.all(before_at=before_at, until=2**62, after=0, limit=1) == found[:1]
        assert retention.remove([each.seq for each in Session.select()], before_at) == len(ended)
        left = [row for row in namespace if row.id not in ended]
        assert {each.id for each in Session.select()} == {row.id for row in left}
        states = Counter((row.account_id, row.archived_at is None) for row in left)
        for each in SessionCount.select():
            account = each.account_id
            assert (each.live, each.archived) == (states[account, True], states[account, False])
