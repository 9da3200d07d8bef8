"""Finishing a session, and deleting one or many."""

from typing import Any

import pytest

from tests.surfaces.galtea.conftest import NOWHERE, Api, assert_error


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"stoppingReason": "GOAL_ACHIEVED"}, "COMPLETED"),
        ({"error": "HTTP 422"}, "FAILED"),
        ({"stoppingReason": "GAVE_UP", "error": "HTTP 422"}, "FAILED"),
    ],
)
def test_a_reason_completes_a_session_and_an_error_fails_it(
    api: Api, fields: dict[str, str], status: str
) -> None:
    created = api.create()
    finished = api.finish(created["id"], **fields)
    assert (finished.status_code, finished.json) == (200, {**created, **fields, "status": status})
    assert api.get(created["id"]).json == finished.json


def test_an_empty_field_of_a_finish_leaves_the_value_unchanged(api: Api) -> None:
    created = api.create()
    api.patch(created["id"], error="before")
    finished = api.finish(created["id"], stoppingReason="GOAL", error="").json
    assert (finished["status"], finished["error"]) == ("COMPLETED", "before")


@pytest.mark.parametrize(
    "body", [{}, {"stoppingReason": ""}, {"error": None}, {"stoppingReason": "", "error": ""}]
)
def test_an_empty_finish_is_refused(api: Api, body: dict[str, Any]) -> None:
    created = api.create()
    before = api.rows()
    assert_error(api.finish(created["id"], **body), 400, "stoppingReason or error")
    assert api.rows() == before


@pytest.mark.parametrize("name", ["stoppingReason", "error"])
@pytest.mark.parametrize("value", [5, {}, ["x"], False])
def test_a_finish_accepts_only_text(api: Api, name: str, value: Any) -> None:
    assert_error(api.finish(api.create()["id"], **{name: value}), 400, name)


def test_a_finished_session_may_be_finished_again_and_reopened(api: Api) -> None:
    created = api.create()
    api.finish(created["id"], error="HTTP 422")
    assert api.finish(created["id"], stoppingReason="GOAL").json["status"] == "COMPLETED"
    assert api.patch(created["id"], status="PENDING").json["status"] == "PENDING"


def test_a_deleted_session_is_not_found_anywhere(api: Api) -> None:
    created = api.create()
    response = api.delete(created["id"])
    assert (response.status_code, response.data) == (204, b"")
    assert_error(api.get(created["id"]), 404, created["id"])
    assert_error(api.patch(created["id"], error="x"), 404, created["id"])
    assert_error(api.finish(created["id"], error="x"), 404, created["id"])
    assert_error(api.delete(created["id"]), 404, created["id"])
    assert_error(api.get_list(f"ids={created['id']}"), 404, created["id"])
    assert api.list_ids() == []


def test_a_delete_keeps_the_row(api: Api) -> None:
    api.delete(api.create()["id"])
    assert len(api.rows()) == 1


def test_a_batch_deletes_every_session_that_it_names_and_no_other(api: Api) -> None:
    ids = [api.create()["id"] for _ in range(3)]
    response = api.delete_batch([ids[0], ids[2], ids[0]])
    assert (response.status_code, response.data) == (204, b"")
    assert api.list_ids() == [ids[1]]


def test_a_batch_with_an_unknown_id_deletes_nothing(api: Api) -> None:
    id = api.create()["id"]
    before = api.rows()
    assert_error(api.delete_batch([id, NOWHERE]), 404, NOWHERE)
    assert_error(api.delete_batch([NOWHERE]), 404, NOWHERE)
    assert api.rows() == before


@pytest.mark.parametrize("ids", [None, [], "session_1", [5], [None], [["a"]], {"a": "b"}, ["\x00"]])
def test_a_batch_is_a_list_of_ids(api: Api, ids: Any) -> None:
    api.create()
    before = api.rows()
    assert_error(api.delete_batch(ids), 400, "ids")
    assert_error(api.call("DELETE", "/galtea/sessions/batch"), 400, "ids")
    assert api.rows() == before


def test_other_methods_treat_batch_as_an_id(api: Api) -> None:
    assert_error(api.get("batch"), 404, "batch")
    assert_error(api.patch("batch"), 404, "batch")


def test_invalid_input_is_refused_before_the_session_is_looked_up(api: Api) -> None:
    assert_error(api.patch(NOWHERE, status=None), 400, "status")
    assert_error(api.finish(NOWHERE), 400, "stoppingReason")
