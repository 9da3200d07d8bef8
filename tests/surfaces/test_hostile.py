"""Any input gets the vendor's error and changes nothing, or is done in full; never a 5xx."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from tests.conftest import App
from tests.surfaces import hostile
from tests.surfaces.callers import Caller
from tests.surfaces.hostile import BODIES, MINE, PATHS, QUERIES, Body, Query
from tests.surfaces.mobilenext.api_client import Calls, error_of

few = settings(max_examples=60)
some_or_many = pytest.mark.parametrize(
    "examples", [100, pytest.param(5_000, marks=pytest.mark.long)]
)
each_body = pytest.mark.parametrize("case", BODIES, ids=lambda case: f"{case.method} {case.path}")
each_query = pytest.mark.parametrize(
    "case", QUERIES, ids=lambda case: f"{case.vendor} {case.method} {case.path}"
)


def send_body(app: App, case: Body, body: Any, kind: str = "application/json") -> bool:
    """Send JSON, or bytes as they are; return whether they were accepted."""
    caller = Caller(case.vendor, app)
    id = caller.start()
    if isinstance(body, dict) and body.get("session_id") == MINE:
        body = {**body, "session_id": id}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    before = caller.rows()
    path = case.path.format(id=id)
    response = caller.call(case.method, path, data, headers={"Content-Type": kind})
    if caller.is_refused(response, case.refused):
        assert caller.rows() == before
        return False
    assert response.status_code == case.done
    case.check(caller, json.loads(data), response.json)
    return True


def send_query(app: App, case: Query, query: Any) -> None:
    caller = Caller(case.vendor, app)
    id = caller.start() if "{id}" in case.path else ""
    before = caller.rows()
    given_ = query if isinstance(query, str) else MultiDict(query)
    response = caller.call(case.method, case.path.format(id=id), query_string=given_)
    is_refused = caller.is_refused(response)
    if is_refused or case.method == "GET":
        assert caller.rows() == before
    if not is_refused and not isinstance(query, str):
        case.check(caller, query, response.json)


@each_body
@some_or_many
def test_a_body_is_refused_or_done_in_full(app: App, case: Body, examples: int) -> None:
    @given(body=case.bodies())
    @settings(few, max_examples=examples)
    def send(body: Any) -> None:
        send_body(app, case, body)

    send()


@each_body
def test_the_strategy_has_bodies_that_are_refused_or_done(app: App, case: Body) -> None:
    """Otherwise the test above would test nothing."""
    seen: set[bool] = set()

    @given(body=case.bodies())
    @settings(few, max_examples=30)
    def send(body: Any) -> None:
        seen.add(send_body(app, case, body))

    send()
    assert seen == {False} if case.path == "/sessions/batch" else {False, True}


@each_body
@given(body=hostile.raw_bodies, kind=st.sampled_from(hostile.CONTENT_TYPES))
@few
def test_any_bytes_are_refused_or_wholly_done(app: App, case: Body, body: bytes, kind: str) -> None:
    is_accepted = send_body(app, case, body, kind)
    if is_accepted and case.needs_fields:
        assert any(name.encode() in body for name in case.fields)


@each_query
@some_or_many
def test_a_query_is_refused_or_answered(app: App, case: Query, examples: int) -> None:
    @given(query=case.queries())
    @settings(few, max_examples=examples)
    def send(query: Any) -> None:
        send_query(app, case, query)

    send()


@each_query
@given(text=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
@few
def test_a_query_of_any_text_is_refused_or_answered(app: App, case: Query, text: str) -> None:
    send_query(app, case, "&".join(f"{name}={text}" for name in case.names[:2]))


@pytest.mark.parametrize(("vendor", "method", "path", "statuses"), PATHS)
@given(segment=hostile.segments)
@few
def test_any_id_in_a_path_is_answered_in_json_and_changes_nothing(
    app: App, vendor: str, method: str, path: str, statuses: set[int], segment: str
) -> None:
    caller = Caller(vendor, app)
    before = caller.rows()
    response = caller.call(method, path.format(id=segment))
    assert response.status_code in statuses
    assert response.content_type == "application/json"
    assert caller.is_refused(response) or response.status_code == 200
    assert caller.rows() == before


@given(data=hostile.raw_bodies)
@few
def test_mobilenext_ignores_a_body_of_calls_without_one(app: App, data: bytes) -> None:
    caller = Caller("mobilenext", app)
    response = caller.call("POST", "/api/v1/sessions/nope/devices/x/release", data)
    assert error_of(response) == (404, "session_not_found")
    assert caller.call("GET", "/api/v1/sessions", data).status_code == 200


latin = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]))


@given(header=latin)
@few
def test_mobilenext_refuses_any_text_as_organization_or_key(app: App, header: str) -> None:
    calls = Calls(app, organization=header)
    assert calls.get("/sessions").status_code == (403 if header.strip() else 200)
    is_key = header.strip().startswith("mob_")
    assert Calls(app, header).get("/sessions").status_code == (200 if is_key else 401)


@given(key=latin)
@few
def test_notte_accepts_any_text_as_credential_or_answers_401(app: App, key: str) -> None:
    caller = Caller("notte", app)
    caller.headers = {"Authorization": key}
    caller.is_refused(caller.call("GET", "/notte/sessions"), {401})


@given(key=latin.filter(str.strip), selected=latin)
@few
def test_scale_answers_any_text_as_key_and_account(app: App, key: str, selected: str) -> None:
    caller = Caller("scale", app)
    caller.headers = {"x-api-key": key, "x-selected-account-id": selected}
    response = caller.call("GET", "/user-info")
    assert caller.is_refused(response) or response.json["id"]
