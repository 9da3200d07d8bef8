"""Pruning removes the sessions that ended before an instant, with their allocations."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary.surfaces.mobilenext import rules
from sessionary.surfaces.mobilenext.models import Allocation, Mark, Session, SessionRow
from sessionary.surfaces.mobilenext.queries.control import retention
from tests.conftest import App
from tests.surfaces.mobilenext.strategies import LAST, fill, namespaces

some = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def has_ended(row: SessionRow, before_at: int) -> bool:
    if row.created_at is None:
        return rules.session_status(row, before_at - 1) == rules.EXPIRED
    released_at = rules.released_at(row, before_at)
    return released_at is not None and released_at < before_at


@given(namespace=namespaces(), before_at=st.integers(0, LAST + 1))
@some
def test_sessions_that_ended_before_are_found_and_removed(
    app: App, namespace: tuple[list[Any], list[Any], list[Any]], before_at: int
) -> None:
    with app.namespace.activate():
        fill(namespace)
        _, sessions, allocations = namespace
        ended = {row.id for row in sessions if has_ended(row, before_at)}
        found = retention.ended.all(before_at=before_at, until=2**62, after=0, limit=100)
        assert len(found) == len(ended)
        assert found == sorted(found)
        assert retention.ended.all(before_at=before_at, until=2**62, after=0, limit=1) == found[:1]
        if found:
            assert (
                retention.ended.all(before_at=before_at, until=2**62, after=found[0], limit=99)
                == found[1:]
            )
        assert retention.remove(list(range(1, 99)), before_at) == len(ended)
        assert {each.id for each in Session.select()} == {row.id for row in sessions} - ended
        left = {each.id for each in allocations if each.session not in ended}
        assert {each.id for each in Allocation.select()} == left


def test_a_created_at_is_not_given_again_after_its_session_was_removed(app: App) -> None:
    """The mark of the organization stays."""
    who = {"Authorization": "Bearer mob_anyone"}
    android = [{"attribute": "platform", "operator": "EQUALS", "value": "android"}]

    def allocate_and_release() -> str:
        session = app.client.post("/api/v1/sessions", headers=who).json["id"]
        path = f"/api/v1/sessions/{session}/devices"
        device = app.client.post(path, json={"filters": android}, headers=who).json["device"]
        app.client.post(f"{path}/{device['id']}/release", headers=who)
        shown = app.client.get(f"/api/v1/sessions/{session}", headers=who).json
        return str(shown["createdAt"])

    first = allocate_and_release()
    with app.namespace.activate():
        before = list(Mark.select().tuples())
        assert retention.remove([1], 2**62) == 1
        assert list(Mark.select().tuples()) == before
    assert allocate_and_release() > first
