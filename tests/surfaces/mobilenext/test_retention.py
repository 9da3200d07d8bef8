"""Pruning removes the sessions that ended before an instant, with their allocations."""

from sessionary.surfaces.mobilenext.models import Mark
from sessionary.surfaces.mobilenext.queries.control import retention
from tests.conftest import App


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
