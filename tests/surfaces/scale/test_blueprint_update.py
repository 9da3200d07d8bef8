from typing import Any

import pytest

from tests.conftest import App
from tests.surfaces.scale.conftest import UNKNOWN_ID, Caller, assert_error, violations

MINUTE_LATER = "2026-03-01T12:01:00.000000Z"
EARLY, LATE = "2026-01-01T00:00:00.000000Z", "2026-02-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"title": "new"}, {"title": "new"}),
        ({"title": ""}, {"title": ""}),
        ({"state": {"only": "this"}}, {"state": {"only": "this"}}),
        ({"state": {}}, {"state": {}}),
        ({"start_date": EARLY}, {"start_date": EARLY}),
        ({"end_date": LATE}, {"end_date": LATE}),
        (
            {"title": "new", "state": {}, "start_date": EARLY, "end_date": LATE},
            {"title": "new", "state": {}, "start_date": EARLY, "end_date": LATE},
        ),
        ({"title": "new", "account_id": "zeta", "id": UNKNOWN_ID, "x": 1}, {"title": "new"}),
    ],
)
def test_a_patch_changes_the_given_fields_and_updated_at(
    app: App, anyone: Caller, body: dict[str, Any], shown: dict[str, Any]
) -> None:
    session = anyone.create(state={"a": 1, "b": 2})
    app.advance(minutes=1)
    answer = anyone.patch(session["id"], body)
    assert answer.status_code == 200
    assert answer.json == {**session, **shown, "updated_at": MINUTE_LATER}
    assert anyone.show(session["id"]) == answer.json


def test_null_unsets_a_date(anyone: Caller) -> None:
    session = anyone.create(start_date=EARLY, end_date=LATE)
    after = anyone.patch(session["id"], {"start_date": None}).json
    assert "start_date" not in after
    assert after["end_date"] == LATE
    assert "end_date" not in anyone.patch(session["id"], {"end_date": None}).json


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"account_id": "zeta", "created_at": "x", "unknown": 1},
        {"restore": False},
        {"restore": True},
        {"archived_at": None},
    ],
)
def test_a_patch_without_changes_writes_nothing(anyone: Caller, body: Any) -> None:
    session = anyone.create()
    before = anyone.app.rows("scale_sessions")
    anyone.app.advance(minutes=1)
    given = {} if body is None else {"json": body}
    answer = anyone.call("PATCH", f"/v4/sessions/{session['id']}", **given)
    assert (answer.status_code, answer.json) == (200, session)
    assert anyone.app.rows("scale_sessions") == before


def test_a_patch_with_the_same_value_is_a_write(app: App, anyone: Caller) -> None:
    session = anyone.create(title="same")
    app.advance(minutes=1)
    assert anyone.patch(session["id"], {"title": "same"}).json["updated_at"] == MINUTE_LATER


def test_updated_at_never_goes_back_and_created_at_never_moves(app: App, anyone: Caller) -> None:
    session = anyone.create()
    app.advance(minutes=-10)
    after = anyone.patch(session["id"], {"title": "new"}).json
    assert (after["created_at"], after["updated_at"]) == (
        session["created_at"],
        session["updated_at"],
    )


@pytest.mark.parametrize(
    ("stored", "body", "is_taken"),
    [
        ({"start_date": EARLY}, {"end_date": "2025-12-31T23:59:59.999999Z"}, False),
        ({"start_date": EARLY}, {"end_date": EARLY}, True),
        ({"start_date": EARLY}, {"end_date": "2026-01-01T00:00:00.000001Z"}, True),
        ({"end_date": LATE}, {"start_date": "2026-01-31T23:59:59.999999Z"}, True),
        ({"end_date": LATE}, {"start_date": LATE}, True),
        ({"end_date": LATE}, {"start_date": "2026-02-01T00:00:00.000001Z"}, False),
        ({"end_date": LATE}, {"start_date": "2026-02-01T00:00:00.000000001Z"}, False),
        ({"start_date": LATE}, {"start_date": None, "end_date": EARLY}, True),
        ({"start_date": EARLY, "end_date": LATE}, {"start_date": LATE, "end_date": EARLY}, False),
    ],
)
def test_the_merged_window_is_validated(
    app: App, anyone: Caller, stored: dict[str, str], body: dict[str, Any], is_taken: bool
) -> None:
    session = anyone.create(**stored)
    before = app.rows("scale_sessions")
    answer = anyone.patch(session["id"], {**body, "title": "new"})
    if is_taken:
        assert answer.json["title"] == "new"
    else:
        assert list(violations(answer)) == [("body", "end_date")]
        assert app.rows("scale_sessions") == before


@pytest.mark.parametrize(
    ("body", "place", "kind"),
    [
        ({"title": None}, "title", "string_type"),
        ({"title": 5}, "title", "string_type"),
        ({"title": "\ud800"}, "title", "value_error"),
        ({"title": "a\x00"}, "title", "value_error"),
        ({"state": None}, "state", "dict_type"),
        ({"state": []}, "state", "dict_type"),
        ({"start_date": "tomorrow"}, "start_date", "datetime_parsing"),
        ({"start_date": 1700000000}, "start_date", "datetime_type"),
        ({"end_date": "2026-01-01"}, "end_date", "datetime_parsing"),
        ({"end_date": "2026-01-01T00:00:00.1234567890Z"}, "end_date", "datetime_parsing"),
        ({"archived_at": True}, "archived_at", "datetime_type"),
        ({"archived_at": "2026-02-30T00:00:00Z"}, "archived_at", "datetime_parsing"),
        ({"restore": "true"}, "restore", "bool_type"),
        ({"restore": 1}, "restore", "bool_type"),
        ({"restore": None}, "restore", "bool_type"),
    ],
)
def test_a_value_of_the_wrong_type_is_422(
    app: App, anyone: Caller, body: dict[str, Any], place: str, kind: str
) -> None:
    session = anyone.create()
    before = app.rows("scale_sessions")
    found = violations(anyone.patch(session["id"], body))
    assert {at: named for at, (named, _) in found.items()} == {("body", place): kind}
    assert app.rows("scale_sessions") == before


def test_an_id_matches_in_any_case(anyone: Caller) -> None:
    session = anyone.create()
    shouted = session["id"].upper()
    assert anyone.show(shouted) == session
    assert anyone.patch(shouted, {"title": "new"}).json["id"] == session["id"]
    assert anyone.delete(shouted).json["count"] == 1


def test_body_violations_are_reported_before_an_unknown_id(anyone: Caller) -> None:
    assert_error(anyone.patch(UNKNOWN_ID, {"title": 5}), 422)
    assert_error(anyone.patch(UNKNOWN_ID, {"start_date": LATE, "end_date": EARLY}), 422)
