"""Pruning removes exactly the sessions that ended before an instant."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary.surfaces.notte import queries, rules
from sessionary.surfaces.notte.models import Session, SessionRow
from tests.conftest import App
from tests.surfaces.notte.strategies import MINUTE, NOW, sessions

around = st.integers(-90, 90).map(lambda minutes: NOW + minutes * MINUTE)
some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(namespace=st.lists(sessions(), max_size=12, unique_by=lambda row: row.id), before_at=around)
@some
def test_sessions_that_ended_before_are_found_in_pages_and_removed(
    app: App, namespace: list[SessionRow], before_at: int
) -> None:
    with app.namespace.activate():
        Session.delete().execute()
        for row in namespace:
            queries.insert.run(**row._asdict(), key_hash="a")
        ended_page = partial(queries.retention.ended.all, before_at=before_at, until=2**62)
        found = ended_page(after=0, limit=100)
        ended = {row.id for row in namespace if rules.has_ended_before(row, before_at)}
        assert {each.id for each in Session.select().where(Session.seq.in_(found))} == ended
        assert (
            queries.retention.ended.all(before_at=before_at, until=2**62, after=0, limit=1)
            == found[:1]
        )
        if found:
            assert ended_page(after=found[0], limit=99) == found[1:]
        keys = [each.seq for each in Session.select()]
        assert queries.retention.remove(keys, before_at) == len(ended)
        assert {each.id for each in Session.select()} == {row.id for row in namespace} - ended


OVER = SessionRow(
    id="a",
    organization="o",
    created_at=NOW - MINUTE,
    last_accessed_at=NOW - MINUTE,
    timeout_minutes=1,
    expires_at=NOW,
)
CLOSED = OVER._replace(ended_at=NOW + 9, ended_as="closed", close_reason="manual")


@pytest.mark.parametrize(
    ("row", "before_at", "is_removed"),
    [(OVER, NOW, 0), (OVER, NOW + 1, 1), (CLOSED, NOW + 9, 0), (CLOSED, NOW + 10, 1)],
)
def test_an_end_at_the_instant_itself_is_not_before_it(
    app: App, row: SessionRow, before_at: int, is_removed: int
) -> None:
    """A session that a call has ended did not time out, even if a clock was moved in between."""
    with app.namespace.activate():
        queries.insert.run(**row._asdict(), key_hash="a")
        assert queries.retention.remove([1], before_at) == is_removed
