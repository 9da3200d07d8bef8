"""Pruning removes sessions that were deleted, closed by themselves or were finished before."""

from sessionary import clock
from sessionary.surfaces.galtea.models import Session
from sessionary.surfaces.galtea.queries.sessions import retention
from tests.surfaces.galtea.conftest import Api


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
