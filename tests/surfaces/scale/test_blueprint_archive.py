from typing import Any

import pytest

from tests.conftest import App
from tests.surfaces.scale.conftest import Caller, assert_error

MINUTE_LATER = "2026-03-01T12:01:00.000000Z"
PAST, FUTURE = "1999-12-31T00:00:00.000000Z", "2999-12-31T00:00:00.000000Z"


@pytest.fixture
def archived(app: App, anyone: Caller) -> Any:
    """A session that was archived at noon, a minute ago."""
    session = anyone.create(title="archived")
    assert anyone.delete(session["id"]).json == {"count": 1, "success": True}
    app.advance(minutes=1)
    return anyone.show(session["id"])


def test_delete_archives_at_the_current_instant(app: App, anyone: Caller) -> None:
    session = anyone.create()
    app.advance(minutes=1)
    assert anyone.delete(session["id"]).json == {"count": 1, "success": True}
    expected = {**session, "archived_at": MINUTE_LATER, "updated_at": MINUTE_LATER}
    assert anyone.show(session["id"]) == expected


def test_deleting_again_counts_0_and_writes_nothing(anyone: Caller, archived: Any) -> None:
    answer = anyone.delete(archived["id"])
    assert (answer.status_code, answer.json) == (200, {"count": 0, "success": True})
    assert anyone.show(archived["id"]) == archived
    assert anyone.app.rows("scale_counts") == [("acme", 0, 1)]


@pytest.mark.parametrize(
    "given",
    [
        {"content_type": "application/json"},
        {},
        {"data": b"{broken", "content_type": "application/json"},
        {"data": b"text", "content_type": "text/plain"},
    ],
)
def test_delete_ignores_content_type_and_body(anyone: Caller, given: dict[str, Any]) -> None:
    session = anyone.create()
    answer = anyone.call("DELETE", f"/v4/sessions/{session['id']}", **given)
    assert answer.json == {"count": 1, "success": True}


def test_an_archived_session_is_in_lists_that_include_it(anyone: Caller, archived: Any) -> None:
    anyone.create(title="live")
    assert anyone.titles() == ["live"]
    assert anyone.titles(include_archived="false") == ["live"]
    assert anyone.titles(include_archived="true") == ["archived", "live"]
    assert anyone.page()["total_item_count"] == 1
    assert anyone.page(include_archived="true")["total_item_count"] == 2
    assert anyone.page(include_archived="true")["items"][0] == archived


@pytest.mark.parametrize(
    "body", [{"title": "new"}, {"archived_at": PAST}, {"restore": False, "state": {}}, {}]
)
def test_a_patch_of_an_archived_session_without_restore_is_400(
    app: App, anyone: Caller, archived: Any, body: dict[str, Any]
) -> None:
    before = app.rows("scale_sessions")
    assert_error(anyone.patch(archived["id"], body), 400, "archived")
    assert app.rows("scale_sessions") == before


def test_an_archived_session_is_reported_before_an_invalid_merged_window(anyone: Caller) -> None:
    session = anyone.create(start_date=FUTURE)
    anyone.delete(session["id"])
    assert_error(anyone.patch(session["id"], {"end_date": PAST}), 400, "archived")
    assert_error(anyone.patch(session["id"], {"end_date": PAST, "restore": True}), 422, "end_date")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"restore": True}, {}),
        ({"archived_at": None}, {}),
        ({"archived_at": None, "restore": False}, {}),
        ({"restore": True, "title": "new", "state": {"a": 1}}, {"title": "new", "state": {"a": 1}}),
        ({"archived_at": None, "start_date": PAST}, {"start_date": PAST}),
    ],
)
def test_restore_comes_first_and_the_other_fields_apply_after_it(
    anyone: Caller, archived: Any, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    answer = anyone.patch(archived["id"], body)
    expected = {**archived, **shown, "updated_at": MINUTE_LATER}
    del expected["archived_at"]
    assert (answer.status_code, answer.json) == (200, expected)
    assert anyone.page()["total_item_count"] == 1


def test_restore_with_an_archived_at_archives_at_that_date(anyone: Caller, archived: Any) -> None:
    after = anyone.patch(archived["id"], {"restore": True, "archived_at": PAST}).json
    assert after["archived_at"] == PAST
    assert anyone.page()["total_item_count"] == 0


@pytest.mark.parametrize("archived_at", [PAST, FUTURE])
def test_an_archived_at_archives_at_once_and_is_returned_as_given(
    app: App, anyone: Caller, archived_at: str
) -> None:
    session = anyone.create()
    after = anyone.patch(session["id"], {"archived_at": archived_at, "title": "new"}).json
    assert (after["archived_at"], after["title"]) == (archived_at, "new")
    assert anyone.titles() == []
    assert app.rows("scale_counts") == [("acme", 0, 1)]


def test_archived_at_may_be_the_first_instant_of_1970(anyone: Caller) -> None:
    session = anyone.create()
    anyone.patch(session["id"], {"archived_at": "1970-01-01T00:00:00Z"})
    assert anyone.show(session["id"])["archived_at"] == "1970-01-01T00:00:00.000000Z"
    assert anyone.delete(session["id"]).json["count"] == 0


def test_archiving_is_never_before_the_last_write(anyone: Caller) -> None:
    session = anyone.create()
    anyone.app.advance(days=-1)
    anyone.delete(session["id"])
    after = anyone.show(session["id"])
    assert after["archived_at"] == after["updated_at"] == session["updated_at"]
