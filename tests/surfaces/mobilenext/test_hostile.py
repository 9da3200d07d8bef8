"""Generated input: each request gets a 4xx in this vendor's envelope or is done in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary import create_app
from sessionary.settings import Settings
from tests.conftest import App
from tests.surfaces.mobilenext.api_client import ANDROID, Calls, contents, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

hostile = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
thorough = settings(hostile, max_examples=5_000)

characters = st.characters() | st.sampled_from(["\x00", "\ud800", "/", "%", "+", "\u202e"])
words = st.text(characters, max_size=20) | st.sampled_from(
    ["", "NaN", "null", "-0", "1e309", "0x1F", "٣", "true", "[]", "{}", "'; --", "2026-03-01"]
)
numbers = st.integers() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
attributes = st.sampled_from(["platform", "type", "name", "version"])
operators = st.sampled_from(
    [
        "EQUALS",
        "GREATER_THAN",
        "GREATER_THAN_OR_EQUALS",
        "LESS_THAN",
        "LESS_THAN_OR_EQUALS",
        "STARTS_WITH",
        "CONTAINS",
    ]
)
nearly = st.fixed_dictionaries(
    {
        "attribute": attributes | values,
        "operator": operators | values,
        "value": words | values,
    }
)
filters = st.fixed_dictionaries(
    {"attribute": attributes, "operator": operators, "value": words | st.just("18.6.2")}
)
bodies = st.one_of(
    values.map(lambda value: {"filters": value}),
    st.lists(nearly, max_size=4).map(lambda found: {"filters": found}),
    st.lists(filters, max_size=4).map(lambda found: {"filters": [*found, ANDROID]}),
    st.dictionaries(words, values, max_size=4),
)
raw = st.one_of(
    st.binary(max_size=60),
    values.map(lambda value: json.dumps(value).encode()),
    st.integers(1, 400).map(lambda depth: b"[" * depth + b"]" * depth),
    st.sampled_from(
        [
            b'{"filters": NaN}',
            b'{"filters": -Infinity}',
            b'{"filters": 1e400}',
            b'{"filters": [], "filters": [{}]}',
            b'{"filters": "\\ud800"}',
            b'{"filters": [1' + b"0" * 5000 + b"]}",
            b'\xef\xbb\xbf{"filters": []}',
        ]
    ),
)


@pytest.fixture(scope="module")
def place() -> Iterator[App]:
    """One namespace for the module; each test leaves it as it was."""
    app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
    yield app
    app.namespace.close()


def assert_error_or_done(response: TestResponse) -> bool:
    """Return whether it succeeded; otherwise assert a 4xx in the envelope."""
    if response.status_code < 300:
        return True
    assert 400 <= error_of(response)[0] < 500
    return False


def allocate_and_release(place: App, **options: Any) -> None:
    """Assert that an error writes nothing and a success exactly one allocation."""
    calls = Calls(place)
    session = calls.start()
    before = contents(place)
    response = calls.post(f"/sessions/{session}/devices", **options)
    if assert_error_or_done(response):
        assert response.status_code == 201
        assert calls.release(session, response.json["device"]["id"]).status_code == 202
    else:
        assert contents(place) == before


def assert_list_answers(place: App, query: dict[str, str]) -> None:
    before = contents(place)
    response = Calls(place).get("/sessions", query_string=query)
    if assert_error_or_done(response):
        assert response.json["object"] == "list"
    assert contents(place) == before


def assert_path_answers(place: App, text: str) -> None:
    calls = Calls(place)
    part = quote(text, safe="", errors="surrogatepass")
    before = contents(place)
    for path in (f"/sessions/{part}", f"/sessions/{part}/devices", f"/nothing{part}"):
        assert error_of(calls.get(path))[0] == 404
    for path in (f"/sessions/{part}/devices/{part}/release", f"/sessions/x/devices/{part}/release"):
        assert error_of(calls.post(path))[0] in (404, 405)
    assert contents(place) == before


@given(body=bodies)
@hostile
def test_a_generated_body_allocates_a_matching_device_or_is_rejected(
    place: App, body: dict[str, Any]
) -> None:
    allocate_and_release(place, json=body)


@given(data=raw, kind=st.sampled_from(["application/json", "text/json", "application/x+json", ""]))
@hostile
def test_any_bytes_as_body_allocate_or_are_rejected(place: App, data: bytes, kind: str) -> None:
    allocate_and_release(place, data=data, headers={"Content-Type": kind})


@given(data=raw)
@hostile
def test_calls_without_a_body_ignore_one(place: App, data: bytes) -> None:
    calls = Calls(place)
    response = calls.post("/sessions/nope/devices/x/release", data=data)
    assert error_of(response) == (404, "session_not_found")
    assert calls.get("/sessions", data=data).status_code == 200


@given(query=st.dictionaries(st.sampled_from(["limit", "before"]) | words, words, max_size=3))
@hostile
def test_a_generated_query_is_answered_or_rejected(place: App, query: dict[str, str]) -> None:
    assert_list_answers(
        place,
        {
            key.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
            for key, value in query.items()
        },
    )


@given(query=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
@hostile
def test_a_query_of_any_printable_text_is_answered_or_rejected(place: App, query: str) -> None:
    response = Calls(place).get(f"/sessions?limit={query}&before={query}")
    assert_error_or_done(response)


@given(text=words.filter(bool))
@hostile
def test_any_text_as_id_is_not_found(place: App, text: str) -> None:
    assert_path_answers(place, text)


@given(header=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30))
@hostile
def test_any_text_as_organization_or_key_is_rejected(place: App, header: str) -> None:
    response = Calls(place, organization=header).get("/sessions")
    assert response.status_code == (403 if header.strip() else 200)
    response = Calls(place, header).get("/sessions")
    assert response.status_code == (200 if header.strip().startswith("mob_") else 401)


@pytest.mark.long
@given(body=bodies, data=raw, text=words.filter(bool), query=words)
@thorough
def test_many_generated_requests(
    place: App, body: dict[str, Any], data: bytes, text: str, query: str
) -> None:
    allocate_and_release(place, json=body)
    allocate_and_release(place, data=data, headers={"Content-Type": "application/json"})
    assert_path_answers(place, text)
    assert_list_answers(place, {"before": query.encode("utf-8", "replace").decode()})
