"""An inactive session closes by itself, in answers and in lists."""

from datetime import timedelta

import pytest

from tests.conftest import MICROSECOND, MakeApp
from tests.surfaces.galtea.conftest import Api, assert_error

CLOSED = "Automatically closed after 30 minutes of inactivity"


def test_by_default_a_session_stays_pending(api: Api) -> None:
    id = api.create()["id"]
    api.app.advance(days=365)
    assert api.get(id).json["status"] == "PENDING"


def test_the_vendors_own_default_is_thirty_minutes(make_app: MakeApp) -> None:
    api = Api(make_app(vendor_defaults=True))
    id = api.create()["id"]
    api.app.advance(minutes=30)
    assert api.get(id).json["stoppingReason"] == CLOSED


def test_an_inactive_session_closes_at_its_deadline(closing: Api) -> None:
    created = closing.create()
    closing.app.advance(minutes=30)
    closing.app.advance(-MICROSECOND)
    assert closing.get(created["id"]).json == created
    assert closing.list_ids("statuses=PENDING") == [created["id"]]
    assert closing.list_ids("statuses=COMPLETED") == []
    closed = {**created, "status": "COMPLETED", "stoppingReason": CLOSED}
    for _ in range(2):
        closing.app.advance(MICROSECOND)
        assert closing.get(created["id"]).json == closed
        assert closing.get_list().json == [closed]
        assert closing.list_ids("statuses=PENDING") == []
        assert closing.list_ids("statuses=COMPLETED") == [created["id"]]


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_only_a_pending_session_closes_by_itself(closing: Api, status: str) -> None:
    created = closing.create(status=status)
    closing.app.advance(hours=1)
    assert closing.get(created["id"]).json == created


def test_an_auto_close_keeps_the_stopping_reason_that_a_call_set(closing: Api) -> None:
    id = closing.create()["id"]
    closing.patch(id, stoppingReason="WAITING")
    closing.app.advance(hours=1)
    shown = closing.get(id).json
    assert (shown["status"], shown["stoppingReason"]) == ("COMPLETED", "WAITING")


def test_a_patch_restarts_the_inactivity_period(closing: Api) -> None:
    id = closing.create()["id"]
    closing.app.advance(minutes=20)
    closing.patch(id, metadata={"turn": 1})
    for step, status in (
        (timedelta(minutes=30) - MICROSECOND, "PENDING"),
        (MICROSECOND, "COMPLETED"),
    ):
        closing.app.advance(step)
        assert closing.get(id).json["status"] == status


def test_a_patch_reopens_a_session_that_closed_by_itself(closing: Api) -> None:
    id = closing.create()["id"]
    closing.app.advance(hours=1)
    shown = closing.patch(id, metadata={"turn": 1}).json
    assert (shown["status"], shown["stoppingReason"]) == ("PENDING", None)
    closing.app.advance(minutes=30)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_a_patch_that_sets_another_status_does_not_reopen(closing: Api) -> None:
    id = closing.create()["id"]
    closing.app.advance(hours=1)
    shown = closing.patch(id, status="FAILED").json
    assert (shown["status"], shown["stoppingReason"]) == ("FAILED", None)


def test_an_empty_patch_is_not_activity(closing: Api) -> None:
    id = closing.create()["id"]
    closing.app.advance(minutes=20)
    closing.patch(id)
    closing.patch(id, nonsense=1)
    closing.app.advance(minutes=10)
    assert closing.get(id).json["status"] == "COMPLETED"
    assert closing.patch(id).json["status"] == "COMPLETED"


def test_a_refused_patch_is_not_activity(closing: Api) -> None:
    closing.create(customId="c")
    id = closing.create()["id"]
    closing.app.advance(minutes=20)
    assert_error(closing.patch(id, customId="c"), 400, "already exists")
    closing.app.advance(minutes=10)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_a_session_that_closed_by_itself_can_be_finished(closing: Api) -> None:
    id = closing.create()["id"]
    closing.app.advance(hours=1)
    shown = closing.finish(id, stoppingReason="GOAL").json
    assert (shown["status"], shown["stoppingReason"]) == ("COMPLETED", "GOAL")


def test_a_session_set_back_to_pending_has_a_new_inactivity_period(closing: Api) -> None:
    id = closing.create(status="FAILED")["id"]
    closing.app.advance(hours=1)
    closing.patch(id, status="PENDING")
    closing.app.advance(minutes=29)
    assert closing.get(id).json["status"] == "PENDING"
    closing.app.advance(minutes=1)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_the_deadline_comes_from_the_setting_when_it_is_written(make_file_app: MakeApp) -> None:
    with_thirty = Api(make_file_app(galtea_auto_close_minutes=30))
    id = with_thirty.create()["id"]
    with_none = Api(make_file_app())
    with_none.app.advance(minutes=30)
    assert with_none.get(id).json["stoppingReason"] == CLOSED
    with_none.patch(id, metadata={})
    with_none.app.advance(days=1)
    assert with_none.get(id).json["status"] == "PENDING"


def test_moving_the_clock_back_reopens_only_what_closed_by_itself(closing: Api) -> None:
    left, finished = closing.create()["id"], closing.create()["id"]
    closing.app.advance(hours=1)
    closing.finish(finished, stoppingReason="GOAL")
    closing.app.advance(hours=-1)
    assert closing.get(left).json["status"] == "PENDING"
    assert closing.get(finished).json["status"] == "COMPLETED"
