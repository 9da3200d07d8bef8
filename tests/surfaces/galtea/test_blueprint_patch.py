"""PATCH /sessions/{id}: every field, every refusal."""

from typing import Any

import pytest

from tests.surfaces.galtea.conftest import Api, assert_error

SETTABLE = {
    "customId": "mine",
    "context": {"value": "words"},
    "stoppingReason": "GOAL_ACHIEVED",
    "metadata": {"key": "value"},
    "error": "HTTP 422",
}


@pytest.mark.parametrize("name", SETTABLE)
def test_a_patch_sets_one_field_and_leaves_the_others(api: Api, name: str) -> None:
    created = api.create()
    changed = api.patch(created["id"], **{name: SETTABLE[name]})
    assert changed.status_code == 200
    assert changed.json == {**created, name: SETTABLE[name]}
    assert api.get(created["id"]).json == changed.json


@pytest.mark.parametrize("name", SETTABLE)
def test_null_clears_a_field(api: Api, name: str) -> None:
    created = api.create()
    api.patch(created["id"], **SETTABLE)
    cleared = api.patch(created["id"], **{name: None}).json
    assert cleared == {**created, **SETTABLE, name: None}


@pytest.mark.parametrize("before", ["PENDING", "COMPLETED", "FAILED"])
@pytest.mark.parametrize("after", ["PENDING", "COMPLETED", "FAILED"])
def test_a_status_moves_in_any_direction(api: Api, before: str, after: str) -> None:
    created = api.create(status=before)
    assert api.patch(created["id"], status=after).json == {**created, "status": after}


@pytest.mark.parametrize(
    ("before", "patch", "shown"),
    [
        ({}, {"error": "HTTP 422"}, {"status": "PENDING"}),
        *(
            ({}, {"stoppingReason": text}, {"stoppingReason": text})
            for text in ("", "GOAL", "über 9")
        ),
        ({"metadata": {"a": 1, "b": 2}}, {"metadata": {"c": 3}}, {"metadata": {"c": 3}}),
        ({}, {"context": ""}, {"context": {"value": ""}}),
    ],
)
def test_metadata_is_replaced_text_wrapped_and_the_status_left(
    api: Api, before: Any, patch: Any, shown: Any
) -> None:
    assert api.patch(api.create(**before)["id"], **patch).json.items() >= shown.items()


@pytest.mark.parametrize("body", [None, {}, {"versionId": "other"}, {"isProduction": False}])
def test_a_patch_may_be_empty_and_ignores_unknown_fields(api: Api, body: Any) -> None:
    created, before = api.create(), api.rows()
    given = {} if body is None else {"json": body}
    assert api.call("PATCH", f"/galtea/sessions/{created['id']}", **given).json == created
    assert api.rows() == before


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
def test_a_patch_refuses_an_invalid_value_by_its_name(api: Api, name: str, value: Any) -> None:
    created = api.create()
    before = api.rows()
    assert_error(api.patch(created["id"], **{"error": "x", name: value}), 400, name)
    assert api.rows() == before


@pytest.mark.parametrize("context", ["", "words", {}, {"a": 1}])
def test_a_patch_sets_no_context_of_a_session_with_a_test_case(api: Api, context: Any) -> None:
    created = api.create(testCaseId="tc")
    before = api.rows()
    assert_error(api.patch(created["id"], context=context, error="x"), 400, "context")
    assert api.rows() == before


def test_a_patch_can_clear_the_context_of_a_test_case(ana: Api) -> None:
    created = ana.create(testCaseId="testCase_t1")
    assert created["context"] == {"persona": "impatient"}
    assert ana.patch(created["id"], context=None).json["context"] is None


def test_a_patch_to_a_custom_id_that_is_taken_is_refused_and_to_a_free_one_accepted(
    api: Api,
) -> None:
    first, other = api.create(customId="c"), api.create(customId="d")
    before = api.rows()
    message = "A Session with the same customId: 'c' already exists for version with ID: 'ver_123'."
    assert_error(api.patch(other["id"], customId="c", error="x"), 400, message)
    assert api.rows() == before
    assert api.patch(first["id"], customId="c").json == first
    api.patch(first["id"], customId=None)
    assert api.patch(other["id"], customId="c").json["customId"] == "c"
