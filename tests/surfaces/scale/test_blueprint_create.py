import json
import re
import uuid
from typing import Any

import pytest

from tests.conftest import App
from tests.identities import BOT
from tests.surfaces.scale.conftest import Caller, assert_error, violations

NOON = "2026-03-01T12:00:00.000000Z"
FULL = {
    "title": "Quarterly review",
    "state": {"step": 3},
    "account_id": "acme",
    "start_date": "2026-03-01T09:00:00Z",
    "end_date": "2026-03-01T10:00:00Z",
}


def test_create_returns_the_given_fields_the_creator_and_the_instant(bot: Caller) -> None:
    session = bot.create(**FULL)
    assert uuid.UUID(session["id"]).version == 4
    assert session == {
        "id": session["id"],
        "title": "Quarterly review",
        "state": {"step": 3},
        "created_at": NOON,
        "updated_at": NOON,
        "created_by_user_id": BOT,
        "created_by_identity_type": "service_account",
        "account_id": "acme",
        "start_date": "2026-03-01T09:00:00.000000Z",
        "end_date": "2026-03-01T10:00:00.000000Z",
    }


def test_a_session_of_a_user_has_the_identity_type_user(ana: Caller) -> None:
    assert ana.create()["created_by_identity_type"] == "user"


@pytest.mark.parametrize("dates", [{}, {"start_date": None, "end_date": None}])
def test_unset_dates_are_absent_and_null_is_unset(anyone: Caller, dates: dict[str, None]) -> None:
    session = anyone.create(**dates)
    assert not {"start_date", "end_date", "archived_at"} & set(session)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.5+02:00", "2026-01-02T01:04:05.500000Z"),
        ("2026-01-02T03:04:05.123456789-00:30", "2026-01-02T03:34:05.123456Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_dates_are_returned_in_utc_with_six_digits_and_a_missing_offset_is_utc(
    anyone: Caller, given: str, shown: str
) -> None:
    session = anyone.create(start_date=given)
    assert session["start_date"] == shown
    assert anyone.show(session["id"]) == session


def test_with_a_running_clock_every_date_has_six_digits_and_a_z(app: App, anyone: Caller) -> None:
    app.use_real_clock()
    session = anyone.create(start_date="2026-01-02T03:04:05Z")
    for name in ("created_at", "updated_at", "start_date"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", session[name])


@pytest.mark.parametrize(
    ("start", "end", "is_valid"),
    [
        ("2026-01-01T00:00:00Z", None, True),
        (None, "2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z", True),
        ("2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.000000001Z", True),
        ("2026-01-01T00:00:00.000000001Z", "2026-01-01T00:00:00.000000002Z", True),
        ("1999-01-01T00:00:00Z", "1999-01-02T00:00:00Z", True),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", False),
        ("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00Z", False),
        ("2026-01-01T00:00:00.000000002Z", "2026-01-01T00:00:00.000000001Z", False),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:01", False),
    ],
)
def test_a_window_may_be_half_open_empty_or_past_but_not_end_before_it_starts(
    anyone: Caller, start: str | None, end: str | None, is_valid: bool
) -> None:
    answer = anyone.post({**FULL, "start_date": start, "end_date": end})
    assert answer.status_code == (200 if is_valid else 422)
    if not is_valid:
        said = ("value_error", "Value error, must not be before start_date")
        assert violations(answer) == {("body", "end_date"): said}
    assert len(anyone.app.rows("scale_sessions")) == is_valid


def test_an_invalid_window_is_listed_with_other_violations(anyone: Caller) -> None:
    answer = anyone.post(
        {"state": {}, "start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"}
    )
    assert set(violations(answer)) == {
        ("body", "end_date"),
        ("body", "title"),
        ("body", "account_id"),
    }


@pytest.mark.parametrize("title", ["", " ", "x" * 100_000, "ü\u2028 \U0001f600", "<b>'\"\\"])
def test_a_title_may_be_empty_long_or_any_text(anyone: Caller, title: str) -> None:
    assert anyone.show(anyone.create(title=title)["id"])["title"] == title


def test_unknown_and_read_only_fields_are_ignored(anyone: Caller) -> None:
    session = anyone.create(
        id="mine",
        created_at="1999-01-01T00:00:00Z",
        updated_at=5,
        created_by_user_id="me",
        created_by_identity_type="robot",
        archived_at="1999-01-01T00:00:00Z",
        restore="what",
        anything={"else": []},
    )
    assert session["created_at"] == session["updated_at"] == NOON
    assert session["created_by_identity_type"] == "user"
    assert not {"archived_at", "anything", "restore"} & set(session)
    assert "mine" not in session["id"]


STATES = [
    "{}",
    '{"": {"": null}}',
    '{"b": 1, "a": 2, "c": {"z": [], "y": {}}}',
    '{"$set": 1, "a.b": 2, "__proto__": {"x": 1}, "$": {}, ".": {}}',
    '{"line": "\\u2028\\u2029", "null": "\\u0000", "\\u0000": 1}',
    f'{{"big": 9007199254740993, "bigger": {"9" * 4300}}}',
    '{"negative": -123456789012345678901234567890}',
    '{"lone": "\\ud800", "\\udfff": ["\\udc00\\ud800"]}',
    '{"float": 0.1, "whole": 1.0, "small": 5e-324, "large": 1.7976931348623157e308}',
    f'{{"nested": {"[" * 98}1{"]" * 98}}}',
    '{"not a date": "2026-01-01T00:00:00Z", "true": true, "list": [null, [[]]]}',
]


@pytest.mark.parametrize("state", STATES)
def test_state_comes_back_equal_including_key_order(anyone: Caller, state: str) -> None:
    body = f'{{"title": "t", "account_id": "a", "state": {state}}}'
    answer = anyone.call("POST", "/v4/sessions", data=body, content_type="application/json")
    assert answer.status_code == 200, answer.text
    expected = json.dumps(json.loads(state))
    shown = [answer.json, anyone.show(answer.json["id"]), anyone.page()["items"][0]]
    assert [json.dumps(each["state"]) for each in shown] == [expected] * 3


@pytest.mark.parametrize("state", [None, [], [{}], "{}", 5, True])
def test_a_state_that_is_not_an_object_is_422(anyone: Caller, state: Any) -> None:
    assert violations(anyone.post({**FULL, "state": state})) == {
        ("body", "state"): ("dict_type", "Input should be a valid dictionary")
    }


def make_state(size: int) -> dict[str, str]:
    """Return a state of this many bytes as compact JSON."""
    return {"x": "y" * (size - len('{"x":""}'))}


def test_a_state_of_a_mebibyte_is_accepted_and_one_more_byte_413(anyone: Caller) -> None:
    limit = 1024 * 1024
    assert_error(anyone.post({**FULL, "state": make_state(limit + 1)}), 413, "state", str(limit))
    assert anyone.app.rows("scale_sessions") == []
    anyone.create(state=make_state(limit))


def test_the_state_limit_is_a_setting_and_reported_before_other_violations(make_app: Any) -> None:
    anyone = Caller(make_app(scale_max_state_bytes=100), "k")
    session = anyone.create(state=make_state(100))
    assert_error(anyone.patch(session["id"], {"state": make_state(101)}), 413)
    assert anyone.show(session["id"]) == session
    assert_error(anyone.post({"title": 5, "state": make_state(101)}), 413)


def test_an_account_id_is_any_text(anyone: Caller) -> None:
    for account in ("65f0c0ffee65f0c0ffee65f0", "not-a-uuid", "x" * 3000, "ü"):
        assert anyone.create(account)["account_id"] == account


def test_equal_creates_make_two_sessions(anyone: Caller) -> None:
    first, second = anyone.create(), anyone.create()
    assert first["id"] != second["id"]
    assert anyone.page()["total_item_count"] == 2
