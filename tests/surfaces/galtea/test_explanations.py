"""Sessions that are forced to fail."""

from sessionary.surfaces import SURFACES
from tests.conftest import EPOCH, MICROSECOND, NOON
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.galtea.conftest import Api
from tests.surfaces.galtea.test_rules import MINUTE

surface = next(each for each in SURFACES if each.name == "galtea")


def test_every_answer_shows_a_forced_failure(closing: Api) -> None:
    id, other = closing.create()["id"], closing.create()["id"]
    closing.app.advance(minutes=2)
    force(closing.app, surface, id, "FAILED")
    closing.app.advance(minutes=40)
    shown = closing.get(id).json
    assert (shown["status"], shown["error"]) == ("FAILED", "it broke")
    assert shown["stoppingReason"] is None
    assert closing.list_ids("statuses=FAILED") == [id]
    assert closing.list_ids("statuses=COMPLETED") == [other]
    explanation = explain_now(closing.app, surface, id)
    assert explanation.since_at == (NOON - EPOCH) // MICROSECOND + 2 * MINUTE


def test_a_finished_session_can_be_forced_to_fail_and_a_failed_one_reopened(api: Api) -> None:
    id = api.create()["id"]
    api.finish(id, stoppingReason="GOAL_ACHIEVED")
    force(api.app, surface, id, "FAILED")
    assert api.get(id).json["status"] == "FAILED"
    assert api.get(id).json["stoppingReason"] == "GOAL_ACHIEVED"
    assert api.patch(id, status="PENDING").json["status"] == "PENDING"
