"""Generated input: the response is an error that changes nothing, or an exact echo."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import App
from tests.surfaces.scale.conftest import Caller

ALL_TEXT = st.text(st.characters(codec=None), max_size=20)  # lone surrogates and NUL included
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ALL_TEXT
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ALL_TEXT, inner, max_size=3),
    max_leaves=12,
)
states = st.dictionaries(ALL_TEXT, values, max_size=4)
dates = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:00.1234567891Z",
        "2026-01-01 00:00:00Z",
        "২026-01-01T00:00:00Z",
        "P1D",
        "",
    ]
)
NAMES = ["title", "state", "account_id", "start_date", "end_date", "archived_at", "restore"]
likely = {
    "title": ALL_TEXT,
    "state": states,
    "account_id": ALL_TEXT,
    "start_date": dates | st.none(),
    "end_date": dates | st.none(),
    "archived_at": dates | st.none(),
    "restore": st.booleans(),
}
bodies = st.fixed_dictionaries({}, optional={name: likely[name] | values for name in NAMES})
complete = st.fixed_dictionaries(
    {name: likely[name] for name in ("title", "state", "account_id")},
    optional={name: likely[name] for name in ("start_date", "end_date")},
)
queries = st.dictionaries(
    st.sampled_from(["page", "limit", "account_id", "include_archived", "other"]),
    st.integers().map(str) | st.text(max_size=8) | st.sampled_from(["", "1", "true", "9" * 5000]),
    max_size=4,
)

short = settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
long = settings(short, max_examples=10_000)


def tables(app: App) -> list[Any]:
    return [app.rows(name) for name in ("scale_sessions", "scale_counts")]


def is_error(answer: Any) -> bool:
    """Return whether it is an error, and assert its shape; the only other status is 200."""
    if answer.status_code == 200:
        return False
    assert answer.status_code in (400, 403, 404, 413, 422), answer.text
    assert list(answer.json) == ["detail"]
    for each in answer.json["detail"] if answer.status_code == 422 else ():
        assert {"loc", "msg", "type"} <= set(each)
    return True


def assert_echo(shown: Any, body: dict[str, Any]) -> None:
    """Assert that the input comes back equal, including key order and 1 against 1.0."""
    for name in {"title", "state", "account_id"} & set(body):
        assert json.dumps(shown[name]) == json.dumps(body[name])


def create(caller: Caller, body: Any) -> None:
    before = tables(caller.app)
    answer = caller.post(body)
    if is_error(answer):
        assert tables(caller.app) == before
    else:
        assert_echo(answer.json, body)
        assert caller.show(answer.json["id"]) == answer.json


def update(caller: Caller, session_id: str, body: Any) -> None:
    before = tables(caller.app)
    answer = caller.patch(session_id, body)
    if is_error(answer):
        assert tables(caller.app) == before
        return
    assert_echo(answer.json, {name: body[name] for name in body if name != "account_id"})
    assert caller.show(session_id) == answer.json
    if "archived_at" in answer.json:
        caller.patch(session_id, {"restore": True})


@given(body=bodies | complete | values)
@example(body={"title": "\ud800", "state": {}, "account_id": "a"})
@example(body={"title": "t", "state": {"\ud800": "\x00"}, "account_id": "a"})
@short
def test_a_generated_create_is_rejected_or_echoed(anyone: Caller, body: Any) -> None:
    create(anyone, body)


@given(body=bodies)
@short
def test_a_generated_update_is_rejected_or_echoed(anyone: Caller, body: Any) -> None:
    items = anyone.page(limit=1)["items"]
    update(anyone, items[0]["id"] if items else anyone.create()["id"], body)


@given(query=queries)
@short
def test_a_generated_list_query_is_rejected_or_gives_a_page(
    anyone: Caller, query: dict[str, str]
) -> None:
    answer = anyone.get("/v4/sessions", **query)
    if not is_error(answer):
        assert answer.json["items"] == []
        assert str(answer.json["current_page"]) == query.get("page", "1").lstrip("0")


@given(data=st.binary(max_size=40) | ALL_TEXT.map(lambda text: text.encode(errors="replace")))
@example(data=b'{"title": "t", "state": {"n": NaN}, "account_id": "a"}')
@example(data=b'{"title": "t", "state": {"n": -Infinity}, "account_id": "a"}')
@example(data=b'{"title": "t", "state": {"n": 1e400}, "account_id": "a"}')
@example(data=b'{"a":' * 5000)
@example(data=b"\xff\xfe{\x00}\x00")
@short
def test_bytes_that_are_not_json_are_rejected(anyone: Caller, data: bytes) -> None:
    answer = anyone.call("POST", "/v4/sessions", data=data, content_type="application/json")
    assert is_error(answer)
    assert tables(anyone.app) == [[], []]


@given(segment=st.text(min_size=1, max_size=20))
@example(segment="..")
@example(segment="\x00")
@short
def test_any_text_as_id_is_answered(anyone: Caller, segment: str) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = anyone.call(method, f"/v4/sessions/{quote(segment, safe='')}")
        assert answer.status_code in (200, 404, 405)
        assert answer.content_type == "application/json"


@given(
    key=st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=20),
    selected=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
)
@short
def test_any_header_values_are_answered(app: App, key: str, selected: str) -> None:
    answer = Caller(app, key, selected).get("/user-info")
    assert is_error(answer) or answer.json["id"]


@pytest.mark.long
@given(body=bodies | complete | values)
@long
def test_many_generated_creates_are_rejected_or_echoed(anyone: Caller, body: Any) -> None:
    create(anyone, body)


@pytest.mark.long
@given(body=bodies)
@long
def test_many_generated_updates_are_rejected_or_echoed(anyone: Caller, body: Any) -> None:
    items = anyone.page(limit=1)["items"]
    update(anyone, items[0]["id"] if items else anyone.create()["id"], body)


def test_the_strategies_produce_successes_and_errors(anyone: Caller) -> None:
    """A fuzz test that only gets errors would test nothing."""
    seen: set[int] = set()

    @given(body=complete | bodies)
    @short
    def send(body: Any) -> None:
        seen.add(anyone.post(body).status_code)

    send()
    assert {200, 422} <= seen
