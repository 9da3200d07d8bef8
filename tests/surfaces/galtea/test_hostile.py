"""Hostile values in every body and query are refused with Galtea's error or echoed exactly."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.surfaces.galtea.conftest import Api, assert_error

few = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
many = settings(
    max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Lone surrogates, NUL and the rest of Unicode included.
texts = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "ver_123", "\x00", "\ud83d", "'; DROP TABLE galtea_sessions; --", "a" * 70_000, "%00"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, 2**63, -(2**63) - 1, 5.0, 1e308, -0.0, 1.5])
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "versionId",
    "productId",
    "customId",
    "testCaseId",
    "isProduction",
    "context",
    "metadata",
    "status",
    "runId",
    "stoppingReason",
    "error",
    "ids",
    "unknown",
)
bodies = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)
plausible = st.fixed_dictionaries(
    {"versionId": st.just("ver_123")},
    optional={
        "context": st.none() | texts | st.dictionaries(texts, values, max_size=3),
        "metadata": st.none() | st.dictionaries(texts, values, max_size=3),
        "customId": st.none() | texts,
    },
)
PARAMETERS = (
    "ids",
    "customIds",
    "versionIds",
    "testIds",
    "excludeTestIds",
    "userIds",
    "statuses",
    "fromCreatedAt",
    "toCreatedAt",
    "limit",
    "offset",
    "sort",
    "commentLabels",
    "unknown",
)
names = st.sampled_from([*PARAMETERS, *(f"{name}[]" for name in PARAMETERS)])
words = texts.filter(lambda text: text.isprintable() and len(text) < 100) | st.sampled_from(
    ["PENDING", "createdAt", "asc", "0", "1", "-1", "10000", "9" * 30, "2026-03-01T12:00:00Z"]
)
parameters = st.lists(st.tuples(names, words), max_size=5)


def check_create(api: Api, body: dict[str, Any]) -> None:
    before = api.rows()
    response = api.post(**body)
    if response.status_code != 201:
        assert_error(response, 400, "")
        assert api.rows() == before
        return
    shown = json.loads(response.data)
    assert api.get(shown["id"]).json == shown
    for name in ("versionId", "customId", "testCaseId", "metadata", "runId"):
        if body.get(name) is not None:
            assert shown[name] == body[name]
    if body.get("context") is not None:
        context = body["context"]
        assert shown["context"] == ({"value": context} if isinstance(context, str) else context)


def check_change(api: Api, action: str, body: dict[str, Any]) -> None:
    id = api.create()["id"]
    before = api.rows()
    response = api.call("PATCH", f"/sessions/{id}{action}", json=body)
    if response.status_code != 200:
        assert_error(response, 400, "")
        assert api.rows() == before
        return
    assert api.get(id).json == response.json
    for name in ("stoppingReason", "error") if action else ("customId", "error", "metadata"):
        # Finishing leaves as it was what is empty.
        if name in body and (body[name] or not action):
            assert response.json[name] == body[name]


def check_query(api: Api, path: str, query: list[tuple[str, str]]) -> None:
    before = api.rows()
    response = api.call("GET", f"{path}?{urlencode(query)}")
    if response.status_code != 200:
        assert response.status_code in (400, 404)
        assert_error(response, response.status_code, "")
    else:
        assert isinstance(response.json, list)
    assert api.rows() == before


@few
@given(bodies | plausible)
def test_a_create_is_refused_or_echoed(api: Api, body: dict[str, Any]) -> None:
    check_create(api, body)


@few
@given(bodies)
def test_a_patch_is_refused_or_echoed(api: Api, body: dict[str, Any]) -> None:
    check_change(api, "", body)


@few
@given(bodies)
def test_a_finish_is_refused_or_echoed(api: Api, body: dict[str, Any]) -> None:
    check_change(api, "/finish", body)


@few
@given(values)
def test_a_batch_of_unknown_ids_is_refused(api: Api, ids: Any) -> None:
    api.create()
    before = api.rows()
    response = api.delete_batch(ids)
    assert response.status_code in (400, 404)
    assert_error(response, response.status_code, "")
    assert api.rows() == before


@few
@given(parameters)
def test_a_list_is_refused_or_returned(api: Api, query: list[tuple[str, str]]) -> None:
    check_query(api, "/sessions", query)


@few
@given(parameters, st.sampled_from(["/versions", "/testCases", "/tests"]))
def test_a_list_of_references_is_refused_or_returned(
    api: Api, query: list[tuple[str, str]], path: str
) -> None:
    check_query(api, path, query)


@few
@given(st.binary(max_size=12) | st.sampled_from([b"%00", b"..", b"\xff", b"%"]))
def test_any_id_in_a_path_is_answered_in_json(api: Api, raw: bytes) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in raw) or "x"
    for path in ("sessions", "versions", "testCases", "tests"):
        response = api.call("GET", f"/galtea/{path}/{quoted}")
        assert response.status_code in (200, 400, 404)
        assert response.content_type == "application/json"


@few
@given(st.binary(max_size=200))
def test_any_bytes_as_a_body_are_refused_or_parsed(api: Api, body: bytes) -> None:
    for method, path in (("POST", "/sessions"), ("DELETE", "/sessions/batch")):
        before = api.rows()
        response = api.call(method, path, data=body, content_type="application/json")
        assert_error(response, 400, "")
        assert api.rows() == before


@pytest.mark.long
@many
@given(bodies | plausible)
def test_many_creates_are_refused_or_echoed(api: Api, body: dict[str, Any]) -> None:
    check_create(api, body)


@pytest.mark.long
@many
@given(bodies, st.sampled_from(["", "/finish"]))
def test_many_changes_are_refused_or_echoed(api: Api, body: dict[str, Any], action: str) -> None:
    check_change(api, action, body)


@pytest.mark.long
@many
@given(parameters)
def test_many_lists_are_refused_or_returned(api: Api, query: list[tuple[str, str]]) -> None:
    check_query(api, "/sessions", query)
