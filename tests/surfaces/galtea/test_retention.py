"""Pruning removes sessions that were deleted, closed by themselves or were finished before."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary import clock
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import Session, SessionRow
from sessionary.surfaces.galtea.queries.sessions import insert, retention
from tests.conftest import App
from tests.surfaces.galtea.conftest import Api
from tests.surfaces.galtea.strategies import MINUTE, NOW, tables

around = st.integers(-12, 12).map(lambda minutes: NOW + minutes * MINUTE)
some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def has_ended(row: SessionRow, before_at: int) -> bool:
    if row.deleted_at is not None and row.deleted_at < before_at:
        return True
    if row.status != rules.PENDING:
        return row.written_at < before_at
    return rules.status(row._replace(deleted_at=None), before_at - 1) != rules.PENDING


@given(namespace=tables(), before_at=around)
@some
def test_sessions_that_ended_before_are_found_and_removed(
    app: App, namespace: list[SessionRow], before_at: int
) -> None:
    with app.namespace.activate():
        Session.delete().execute()
        for row in namespace:
            insert.run(**row._asdict())
        found = retention.ended.all(before_at=before_at, until=2**62, after=0, limit=100)
        ended = {row.id for row in namespace if has_ended(row, before_at)}
        assert {each.id for each in Session.select().where(Session.seq.in_(found))} == ended
        assert retention.ended.all(before_at=before_at, until=2**62, after=0, limit=1) == found[:1]
        assert retention.remove([each.seq for each in Session.select()], before_at) == len(ended)
        assert {each.id for each in Session.select()} == {row.id for row in namespace} - ended


def test_every_change_of_a_session_counts_as_its_last_write(api: Api) -> None:
    """A session that was created long ago and finished now has ended now."""
    id = api.create()["id"]
    calls = (lambda: api.patch(id, metadata={}), lambda: api.finish(id, stoppingReason="done"))
    for call in calls:
        api.app.advance(days=100)
        assert call().status_code == 200
        with api.app.namespace.activate():
            (row,) = Session.select()
            assert row.written_at == clock.now()
            assert retention.ended.all(before_at=clock.now(), after=0, until=99, limit=9) == []
    with api.app.namespace.activate():
        assert retention.ended.all(before_at=clock.now() + 1, after=0, until=99, limit=9) == [
            row.seq
        ]


def test_a_read_or_an_empty_patch_is_not_a_write(api: Api) -> None:
    id = api.create()["id"]
    before = api.rows()
    api.app.advance(days=100)
    assert api.patch(id).status_code == 200
    assert api.get(id).status_code == 200
    assert api.rows() == before


def test_moving_the_clock_back_keeps_the_last_write(api: Api) -> None:
    id = api.create()["id"]
    with api.app.namespace.activate():
        written_at = Session.get().written_at
    api.app.advance(days=-100)
    api.patch(id, metadata={})
    with api.app.namespace.activate():
        assert Session.get().written_at == written_at
