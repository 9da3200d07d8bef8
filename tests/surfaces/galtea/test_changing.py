"""PATCH, finish and delete; and closing by itself."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import MICROSECOND, Sandbox

from .conftest import NOWHERE, Api, refused

CLOSED = "Automatically closed after 30 minutes of inactivity"
SETTABLE = {
    "customId": "mine",
    "context": {"value": "words"},
    "stoppingReason": "GOAL_ACHIEVED",
    "metadata": {"key": "value"},
    "error": "HTTP 422",
}


@pytest.fixture
def closing(make_sandbox: Callable[..., Sandbox], enter: Callable[..., Api]) -> Api:
    """Anyone, where a session closes by itself after 30 minutes."""
    return enter(make_sandbox(galtea_auto_close_minutes=30))


@pytest.mark.parametrize("name", SETTABLE)
def test_a_patch_sets_one_field_and_leaves_the_others(api: Api, name: str) -> None:
    created = api.create()
    changed = api.patch(created["id"], **{name: SETTABLE[name]})
    assert changed.status_code == 200
    assert changed.json == {**created, name: SETTABLE[name]}
    assert api.get(created["id"]).json == changed.json


@pytest.mark.parametrize("name", SETTABLE)
def test_null_clears(api: Api, name: str) -> None:
    created = api.create()
    api.patch(created["id"], **SETTABLE)
    cleared = api.patch(created["id"], **{name: None}).json
    assert cleared == {**created, **SETTABLE, name: None}


@pytest.mark.parametrize("before", ["PENDING", "COMPLETED", "FAILED"])
@pytest.mark.parametrize("after", ["PENDING", "COMPLETED", "FAILED"])
def test_a_status_moves_in_any_direction(api: Api, before: str, after: str) -> None:
    created = api.create(status=before)
    assert api.patch(created["id"], status=after).json == {**created, "status": after}


def test_an_error_alone_leaves_the_session_open(api: Api) -> None:
    assert api.patch(api.create()["id"], error="HTTP 422").json["status"] == "PENDING"


def test_the_stopping_reason_is_free_text(api: Api) -> None:
    for text in ("", "GOAL_ACHIEVED", "über 9000"):
        created = api.create()
        assert api.patch(created["id"], stoppingReason=text).json["stoppingReason"] == text


def test_metadata_is_replaced_whole(api: Api) -> None:
    created = api.create(metadata={"a": 1, "b": 2})
    assert api.patch(created["id"], metadata={"c": 3}).json["metadata"] == {"c": 3}


def test_a_context_of_text_is_wrapped_in_a_patch_too(api: Api) -> None:
    assert api.patch(api.create()["id"], context="").json["context"] == {"value": ""}


@pytest.mark.parametrize("body", [{}, {"versionId": "other"}, {"isProduction": False}])
def test_nothing_to_change_is_fine_and_other_keys_are_ignored(
    api: Api, body: dict[str, Any]
) -> None:
    created, before = api.create(), api.rows()
    assert api.patch(created["id"], **body).json == created
    assert api.rows() == before


def test_no_body_at_all_is_nothing_to_change(api: Api) -> None:
    created = api.create()
    assert api.call("PATCH", f"/galtea/sessions/{created['id']}").json == created


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", None),
        ("status", "pending"),
        ("status", 1),
        ("customId", ""),
        ("customId", 5),
        ("context", 5),
        ("context", []),
        ("stoppingReason", {}),
        ("stoppingReason", "nul \x00"),
        ("metadata", "text"),
        ("error", True),
    ],
)
def test_a_patch_refuses_what_does_not_fit_by_its_name(api: Api, name: str, value: Any) -> None:
    created = api.create()
    before = api.rows()
    refused(api.patch(created["id"], **{"error": "x", name: value}), 400, name)
    assert api.rows() == before


@pytest.mark.parametrize("context", ["", "words", {}, {"a": 1}])
def test_a_patch_gives_no_context_to_a_session_with_a_test_case(api: Api, context: Any) -> None:
    created = api.create(testCaseId="tc")
    before = api.rows()
    refused(api.patch(created["id"], context=context, error="x"), 400, "context")
    assert api.rows() == before


def test_a_patch_clears_the_context_that_a_test_case_brought(ana: Api) -> None:
    created = ana.create(testCaseId="testCase_t1")
    assert created["context"] == {"persona": "impatient"}
    assert ana.patch(created["id"], context=None).json["context"] is None


def test_a_patch_to_a_custom_id_that_is_taken_is_refused(api: Api) -> None:
    api.create(customId="c")
    other = api.create(customId="d")
    before = api.rows()
    message = "A Session with the same customId: 'c' already exists for version with ID: 'ver_123'."
    refused(api.patch(other["id"], customId="c", error="x"), 400, message)
    assert api.rows() == before


def test_a_patch_to_its_own_custom_id_is_fine(api: Api) -> None:
    created = api.create(customId="c")
    assert api.patch(created["id"], customId="c").json == created


def test_a_custom_id_that_was_cleared_is_free(api: Api) -> None:
    first, second = api.create(customId="c"), api.create()
    api.patch(first["id"], customId=None)
    assert api.patch(second["id"], customId="c").json["customId"] == "c"


def test_a_reason_completes_a_session(api: Api) -> None:
    created = api.create()
    finished = api.finish(created["id"], stoppingReason="GOAL_ACHIEVED")
    assert finished.status_code == 200
    assert finished.json == {**created, "status": "COMPLETED", "stoppingReason": "GOAL_ACHIEVED"}
    assert api.get(created["id"]).json == finished.json


def test_an_error_fails_a_session(api: Api) -> None:
    created = api.create()
    finished = api.finish(created["id"], error="HTTP 422").json
    assert finished == {**created, "status": "FAILED", "error": "HTTP 422"}


def test_with_both_a_session_failed_and_shows_both(api: Api) -> None:
    created = api.create()
    finished = api.finish(created["id"], stoppingReason="GAVE_UP", error="HTTP 422").json
    assert finished == {
        **created,
        "status": "FAILED",
        "error": "HTTP 422",
        "stoppingReason": "GAVE_UP",
    }


def test_what_is_empty_in_a_finish_stays_as_it_was(api: Api) -> None:
    created = api.create()
    api.patch(created["id"], error="before")
    finished = api.finish(created["id"], stoppingReason="GOAL", error="").json
    assert (finished["status"], finished["error"]) == ("COMPLETED", "before")


@pytest.mark.parametrize(
    "body", [{}, {"stoppingReason": ""}, {"error": None}, {"stoppingReason": "", "error": ""}]
)
def test_finishing_with_nothing_is_refused(api: Api, body: dict[str, Any]) -> None:
    created = api.create()
    before = api.rows()
    refused(api.finish(created["id"], **body), 400, "stoppingReason or error")
    assert api.rows() == before


@pytest.mark.parametrize("name", ["stoppingReason", "error"])
@pytest.mark.parametrize("value", [5, {}, ["x"], False])
def test_finishing_takes_text_alone(api: Api, name: str, value: Any) -> None:
    refused(api.finish(api.create()["id"], **{name: value}), 400, name)


def test_a_finished_session_may_be_finished_again_and_reopened(api: Api) -> None:
    created = api.create()
    api.finish(created["id"], error="HTTP 422")
    assert api.finish(created["id"], stoppingReason="GOAL").json["status"] == "COMPLETED"
    assert api.patch(created["id"], status="PENDING").json["status"] == "PENDING"


def test_a_deleted_session_is_gone_from_everywhere(api: Api) -> None:
    created = api.create()
    response = api.delete(created["id"])
    assert (response.status_code, response.data) == (204, b"")
    refused(api.get(created["id"]), 404, created["id"])
    refused(api.patch(created["id"], error="x"), 404, created["id"])
    refused(api.finish(created["id"], error="x"), 404, created["id"])
    refused(api.delete(created["id"]), 404, created["id"])
    refused(api.ask(f"ids={created['id']}"), 404, created["id"])
    assert api.found() == []


def test_deleting_is_soft(api: Api) -> None:
    api.delete(api.create()["id"])
    assert len(api.rows()) == 1


def test_a_batch_deletes_every_session_that_it_names_and_no_other(api: Api) -> None:
    ids = [api.create()["id"] for _ in range(3)]
    response = api.delete_batch([ids[0], ids[2], ids[0]])
    assert (response.status_code, response.data) == (204, b"")
    assert api.found() == [ids[1]]


def test_a_batch_with_an_unknown_id_deletes_nothing(api: Api) -> None:
    id = api.create()["id"]
    before = api.rows()
    refused(api.delete_batch([id, NOWHERE]), 404, NOWHERE)
    refused(api.delete_batch([NOWHERE]), 404, NOWHERE)
    assert api.rows() == before


@pytest.mark.parametrize("ids", [None, [], "session_1", [5], [None], [["a"]], {"a": "b"}, ["\x00"]])
def test_a_batch_is_a_list_of_ids(api: Api, ids: Any) -> None:
    api.create()
    before = api.rows()
    refused(api.delete_batch(ids), 400, "ids")
    refused(api.call("DELETE", "/galtea/sessions/batch"), 400, "ids")
    assert api.rows() == before


def test_batch_is_an_id_to_every_other_method(api: Api) -> None:
    refused(api.get("batch"), 404, "batch")
    refused(api.patch("batch"), 404, "batch")


@pytest.mark.parametrize("action", ["get", "patch", "finish", "delete"])
def test_an_unknown_session_is_404(api: Api, action: str) -> None:
    arguments = {"error": "x"} if action in ("patch", "finish") else {}
    refused(getattr(api, action)(NOWHERE, **arguments), 404, NOWHERE)


def test_what_does_not_fit_is_refused_before_the_session_is_sought(api: Api) -> None:
    refused(api.patch(NOWHERE, status=None), 400, "status")
    refused(api.finish(NOWHERE), 400, "stoppingReason")


def test_by_default_a_session_stays_pending(api: Api) -> None:
    id = api.create()["id"]
    api.sandbox.advance(days=365)
    assert api.get(id).json["status"] == "PENDING"


def test_the_vendors_own_default_is_thirty_minutes(
    make_sandbox: Callable[..., Sandbox], enter: Callable[..., Api]
) -> None:
    api = enter(make_sandbox(vendor_defaults=True))
    id = api.create()["id"]
    api.sandbox.advance(minutes=30)
    assert api.get(id).json["stoppingReason"] == CLOSED


def test_a_session_left_alone_closes_at_its_deadline(closing: Api) -> None:
    created = closing.create()
    closing.sandbox.advance(minutes=30)
    closing.sandbox.advance(-MICROSECOND)
    assert closing.get(created["id"]).json == created
    assert closing.found("statuses=PENDING") == [created["id"]]
    assert closing.found("statuses=COMPLETED") == []
    closed = {**created, "status": "COMPLETED", "stoppingReason": CLOSED}
    for _ in range(2):
        closing.sandbox.advance(MICROSECOND)
        assert closing.get(created["id"]).json == closed
        assert closing.ask().json == [closed]
        assert closing.found("statuses=PENDING") == []
        assert closing.found("statuses=COMPLETED") == [created["id"]]


def test_looking_at_a_closed_session_writes_nothing(closing: Api) -> None:
    id, before = closing.create()["id"], closing.rows()
    closing.sandbox.advance(hours=1)
    closing.get(id)
    closing.ask("statuses=COMPLETED")
    assert closing.rows() == before


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_what_is_not_pending_does_not_close_by_itself(closing: Api, status: str) -> None:
    created = closing.create(status=status)
    closing.sandbox.advance(hours=1)
    assert closing.get(created["id"]).json == created


def test_a_session_that_closes_by_itself_keeps_a_reason_of_its_own(closing: Api) -> None:
    id = closing.create()["id"]
    closing.patch(id, stoppingReason="WAITING")
    closing.sandbox.advance(hours=1)
    shown = closing.get(id).json
    assert (shown["status"], shown["stoppingReason"]) == ("COMPLETED", "WAITING")


def test_a_patch_restarts_the_quiet_time(closing: Api) -> None:
    id = closing.create()["id"]
    closing.sandbox.advance(minutes=20)
    closing.patch(id, metadata={"turn": 1})
    closing.sandbox.advance(minutes=30)
    closing.sandbox.advance(-MICROSECOND)
    assert closing.get(id).json["status"] == "PENDING"
    closing.sandbox.advance(MICROSECOND)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_a_patch_reopens_a_session_that_closed_by_itself(closing: Api) -> None:
    id = closing.create()["id"]
    closing.sandbox.advance(hours=1)
    shown = closing.patch(id, metadata={"turn": 1}).json
    assert (shown["status"], shown["stoppingReason"]) == ("PENDING", None)
    closing.sandbox.advance(minutes=30)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_a_patch_that_sets_another_status_does_not_reopen(closing: Api) -> None:
    id = closing.create()["id"]
    closing.sandbox.advance(hours=1)
    shown = closing.patch(id, status="FAILED").json
    assert (shown["status"], shown["stoppingReason"]) == ("FAILED", None)


def test_a_patch_of_nothing_is_no_activity(closing: Api) -> None:
    id = closing.create()["id"]
    closing.sandbox.advance(minutes=20)
    closing.patch(id)
    closing.patch(id, nonsense=1)
    closing.sandbox.advance(minutes=10)
    assert closing.get(id).json["status"] == "COMPLETED"
    assert closing.patch(id).json["status"] == "COMPLETED"


def test_a_refused_patch_is_no_activity(closing: Api) -> None:
    closing.create(customId="c")
    id = closing.create()["id"]
    closing.sandbox.advance(minutes=20)
    refused(closing.patch(id, customId="c"), 400, "already exists")
    closing.sandbox.advance(minutes=10)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_a_session_that_closed_by_itself_may_still_be_finished(closing: Api) -> None:
    id = closing.create()["id"]
    closing.sandbox.advance(hours=1)
    shown = closing.finish(id, stoppingReason="GOAL").json
    assert (shown["status"], shown["stoppingReason"]) == ("COMPLETED", "GOAL")


def test_a_session_set_back_to_pending_has_its_whole_quiet_time_again(closing: Api) -> None:
    id = closing.create(status="FAILED")["id"]
    closing.sandbox.advance(hours=1)
    closing.patch(id, status="PENDING")
    closing.sandbox.advance(minutes=29)
    assert closing.get(id).json["status"] == "PENDING"
    closing.sandbox.advance(minutes=1)
    assert closing.get(id).json["status"] == "COMPLETED"


def test_the_deadline_is_the_one_of_the_setting_when_it_was_written(
    make_file_sandbox: Callable[..., Sandbox], enter: Callable[..., Api]
) -> None:
    with_thirty = enter(make_file_sandbox(galtea_auto_close_minutes=30))
    id = with_thirty.create()["id"]
    with_none = enter(make_file_sandbox())
    with_none.sandbox.advance(minutes=30)
    assert with_none.get(id).json["stoppingReason"] == CLOSED
    with_none.patch(id, metadata={})
    with_none.sandbox.advance(days=1)
    assert with_none.get(id).json["status"] == "PENDING"


def test_moving_the_clock_back_judges_only_the_deadline_anew(closing: Api) -> None:
    left, finished = closing.create()["id"], closing.create()["id"]
    closing.sandbox.advance(hours=1)
    closing.finish(finished, stoppingReason="GOAL")
    closing.sandbox.advance(hours=-1)
    assert closing.get(left).json["status"] == "PENDING"
    assert closing.get(finished).json["status"] == "COMPLETED"
