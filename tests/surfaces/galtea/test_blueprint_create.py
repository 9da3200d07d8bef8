"""POST /sessions: the table of production and context, every default, every field."""

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import MICROSECOND
from tests.identities import ANA
from tests.surfaces.galtea.conftest import NEW, Api, assert_error

LONE = "\ud83d"  # half of a surrogate pair


def test_the_vendors_own_example_is_accepted(api: Api) -> None:
    created = api.create(
        versionId="ver_123",
        customId="my-session-1",
        testCaseId="tc_123",
        metadata={"key": "value"},
        status="PENDING",
    )
    assert created["versionId"] == "ver_123"
    assert created["customId"] == "my-session-1"
    assert created["testCaseId"] == "tc_123"
    assert created["metadata"] == {"key": "value"}


def test_every_field_of_a_new_session_with_its_default(api: Api) -> None:
    created = api.create(versionId="ver_123")
    id = created.pop("id")
    assert id.startswith("session_")
    assert len(id) == 32
    assert id[8:].isalnum()
    assert id == id.lower()
    facts = {"versionId": "ver_123", "createdAt": "2026-03-01T12:00:00.000Z"}
    assert created == {**NEW, **facts}


def test_a_read_shows_the_created_session(api: Api) -> None:
    created = api.create(customId="c", context={"a": 1}, metadata={"b": [2]}, status="FAILED")
    assert api.get(created["id"]).json == created
    assert api.get_list().json == [created]


@pytest.mark.parametrize("context", ["absent", None, "", "words", {}, {"persona": "calm"}])
@pytest.mark.parametrize(
    ("wanted", "is_production"), [("absent", True), (None, True), (True, True), (False, False)]
)
def test_without_a_test_case_any_flag_and_any_context_is_accepted(
    api: Api, context: Any, wanted: Any, is_production: bool
) -> None:
    fields = {"context": context, "isProduction": wanted}
    created = api.create(**{name: value for name, value in fields.items() if value != "absent"})
    assert created["isProduction"] is is_production
    assert created["testCaseId"] is None
    assert (created["userId"] is None) is is_production


@pytest.mark.parametrize("wanted", ["absent", None, False, True])
@pytest.mark.parametrize("context", ["absent", None, "", "words", {}, {"persona": "calm"}])
def test_with_a_test_case_a_session_is_not_production_and_takes_no_context(
    api: Api, wanted: Any, context: Any
) -> None:
    fields = {"versionId": "v", "testCaseId": "tc", "context": context, "isProduction": wanted}
    answer = api.post(**{name: value for name, value in fields.items() if value != "absent"})
    if wanted is True or context not in ("absent", None):
        assert_error(answer, 400, "isProd" if wanted is True else "context")
        assert api.rows() == []
    else:
        assert (answer.status_code, answer.json["isProduction"]) == (201, False)
        assert answer.json["testCaseId"] == "tc"


@pytest.mark.parametrize("text", ["", "words", f"half {LONE}", "nul \x00"])
def test_a_context_of_text_comes_back_as_the_value_of_an_object(api: Api, text: str) -> None:
    assert api.create(context=text)["context"] == {"value": text}


def test_free_form_json_comes_back_equal(api: Api) -> None:
    free = {"z": 10**400, "a": [1.5, None, {LONE: "\x00"}], "m": {}, "b": True}
    created = api.create(context=free, metadata=free)
    shown = api.get(created["id"]).json
    assert shown["context"] == shown["metadata"] == free
    assert list(shown["metadata"]) == list(free)


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED", "FAILED"])
def test_the_initial_status_is_the_callers(api: Api, status: str) -> None:
    assert api.create(status=status)["status"] == status


def test_null_counts_as_absent_for_every_optional_field(api: Api) -> None:
    names = ("customId", "testCaseId", "isProduction", "context", "metadata", "status", "runId")
    created = api.create(productId=None, **dict.fromkeys(names))
    plain = api.create()
    for name in plain.keys() - {"id"}:
        assert created[name] == plain[name]


def test_unknown_fields_are_ignored(api: Api) -> None:
    created = api.create(userId="me", id="mine", stoppingReason="x", error="y", nonsense={"a": 1})
    assert created["id"] != "mine"
    assert (created["userId"], created["stoppingReason"], created["error"]) == (None, None, None)


@pytest.mark.parametrize("name", ["versionId", "productId", "customId", "testCaseId", "runId"])
def test_an_empty_id_is_refused(api: Api, name: str) -> None:
    assert_error(api.post(**{"versionId": "v", "isProduction": False, name: ""}), 400, name)
    assert api.rows() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("versionId", 5),
        ("versionId", True),
        ("productId", ["p"]),
        ("customId", 1.5),
        ("customId", f"half {LONE}"),
        ("customId", "nul \x00"),
        ("testCaseId", {}),
        ("isProduction", "true"),
        ("isProduction", 1),
        ("context", 5),
        ("context", ["a"]),
        ("context", True),
        ("metadata", "text"),
        ("metadata", [1]),
        ("status", "pending"),
        ("status", "DONE"),
        ("status", ""),
        ("status", 1),
        ("runId", 7),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_name(api: Api, name: str, value: Any) -> None:
    assert_error(api.post(**{"versionId": "v", name: value}), 400, name)
    assert api.rows() == []


@pytest.mark.parametrize("fields", [{}, {"versionId": None}, {"productId": None}])
def test_without_version_and_product_a_session_is_refused(api: Api, fields: dict[str, Any]) -> None:
    assert_error(api.post(**fields), 400, "versionId or productId")
    assert api.rows() == []


def test_a_create_without_a_body_is_refused(api: Api) -> None:
    assert_error(api.call("POST", "/galtea/sessions"), 400, "versionId or productId")


def test_only_a_session_that_is_not_production_can_join_a_run(api: Api) -> None:
    for production in ({}, {"isProduction": True}):
        assert_error(api.post(versionId="v", runId="run_1", **production), 400, "runId")
    assert api.rows() == []
    for driven in ({"isProduction": False}, {"testCaseId": "tc"}):
        assert api.create(runId="run_1", **driven)["runId"] == "run_1"


def test_the_user_of_a_session_is_the_caller_unless_it_is_production(ana: Api) -> None:
    assert ana.create(isProduction=False)["userId"] == ANA
    assert ana.create(testCaseId="tc")["userId"] == ANA
    assert ana.create()["userId"] is None


def test_created_at_is_cut_to_the_millisecond(api: Api) -> None:
    api.app.advance(999_999 * MICROSECOND)
    assert api.create()["createdAt"] == "2026-03-01T12:00:00.999Z"
    api.app.advance(MICROSECOND)
    assert api.create()["createdAt"] == "2026-03-01T12:00:01.000Z"


def test_created_at_is_stored_as_it_is_printed(api: Api) -> None:
    api.app.advance(timedelta(microseconds=1_999))
    id = api.create()["id"]
    assert api.list_ids(
        "fromCreatedAt=2026-03-01T12:00:00.001Z&toCreatedAt=2026-03-01T12:00:00.001Z"
    )
    assert api.list_ids("fromCreatedAt=2026-03-01T12:00:00.001001Z") == []
    assert api.list_ids("toCreatedAt=2026-03-01T12:00:00.001Z") == [id]


def test_a_custom_id_is_taken_once_in_a_version(api: Api) -> None:
    api.create(customId="c")
    before = api.rows()
    message = "A Session with the same customId: 'c' already exists for version with ID: 'ver_123'."
    response = api.post(versionId="ver_123", customId="c")
    assert_error(response, 400, message)
    assert response.json["message"] == message
    assert api.rows() == before


def test_a_custom_id_is_free_in_another_version_in_another_case_and_as_null(api: Api) -> None:
    fields = ({}, {"versionId": "other"}, {"customId": "C"}, {"customId": None}, {"customId": None})
    for each in fields:
        api.create(**{"customId": "c", **each})
    assert len(api.list_ids()) == 5


def test_a_deleted_session_frees_its_custom_id(api: Api) -> None:
    first = api.create(customId="c")
    api.delete(first["id"])
    second = api.create(customId="c")
    assert api.list_ids("customIds=c") == [second["id"]]


def test_a_custom_id_is_free_in_another_organization(ana: Api, zoe: Api) -> None:
    ana.create(customId="c")
    zoe.create(customId="c")
    assert_error(zoe.post(versionId="ver_123", customId="c"), 400, "already exists")
