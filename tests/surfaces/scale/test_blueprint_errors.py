"""Errors of the framework and of the database, in Scale's shape."""

import json
from collections.abc import Callable
from typing import Any

import peewee as pw
import pytest
from pydantic import BaseModel, Field, ValidationError

from sessionary import identity
from sessionary.surfaces.scale import queries
from tests.conftest import App
from tests.surfaces.scale.conftest import UNKNOWN_ID, Caller, assert_error, violations

BODY = {"title": "t", "state": {}, "account_id": "acme"}
JSON = "application/json"


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"Authorization": "Bearer k"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v4/sessions"),
        ("GET", "/v4/sessions"),
        ("GET", f"/v4/sessions/{UNKNOWN_ID}"),
        ("PATCH", f"/v4/sessions/{UNKNOWN_ID}"),
        ("DELETE", f"/v4/sessions/{UNKNOWN_ID}"),
        ("GET", "/user-info"),
        ("GET", "/v4/nothing"),
        ("PUT", "/v4/sessions"),
        ("GET", "/scale/nothing"),
    ],
)
def test_a_missing_key_is_401_on_every_path_with_any_body(
    app: App, headers: dict[str, str], method: str, path: str
) -> None:
    answer = app.client.open(path, method=method, headers=headers, data=b"{broken")
    assert_error(answer, 401)


@pytest.mark.parametrize("key", ["unknown", "ANA", "elsewhere"])
def test_an_unknown_key_and_one_of_another_surface_are_401_in_a_strict_namespace(
    strict: App, key: str
) -> None:
    assert_error(Caller(strict, key).get("/v4/sessions"), 401)
    assert_error(Caller(strict, key).get("/v4/nothing"), 401)


def test_a_revoked_key_is_401_at_once(strict: App, ana: Caller) -> None:
    assert ana.get("/v4/sessions").status_code == 200
    with strict.namespace.activate():
        found = identity.Key.get(identity.Key.hash == identity.hash_of("ana"))
        assert identity.revoke_key(found.id)
    assert_error(ana.get("/v4/sessions"), 401)


def test_401_is_answered_before_the_body_is_read(make_app: Callable[..., App]) -> None:
    app = make_app(max_body_bytes=10)
    assert_error(app.client.post("/v4/sessions", data=b"x" * 11, content_type=JSON), 401)
    assert_error(Caller(app, "k").post(BODY), 413)


@pytest.mark.parametrize("path", ["/v4", "/v4/no", "/v4/sessions/a/b", "/user-info/x", "/v4//"])
@pytest.mark.parametrize("prefix", ["", "/scale"])
def test_an_unknown_path_is_404(anyone: Caller, prefix: str, path: str) -> None:
    assert_error(anyone.get(prefix + path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v4/sessions", {"GET", "POST", "HEAD"}),
        ("DELETE", "/v4/sessions", {"GET", "POST", "HEAD"}),
        ("POST", f"/v4/sessions/{UNKNOWN_ID}", {"GET", "PATCH", "DELETE", "HEAD"}),
        ("POST", "/user-info", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_and_lists_the_allowed_ones(
    anyone: Caller, method: str, path: str, allowed: set[str]
) -> None:
    answer = anyone.call(method, path)
    assert_error(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/v4/sessions", "/scale/v4/sessions", "/v4/sessions/"])
def test_root_prefix_and_a_trailing_slash_are_the_same(anyone: Caller, path: str) -> None:
    session = anyone.post(BODY, path).json
    assert anyone.get(path).json["items"] == [session]
    assert anyone.get("/scale/user-info").json == anyone.get("/user-info/").json
    assert anyone.get(f"/scale/v4/sessions/{session['id']}").json == session


@pytest.mark.parametrize(
    ("data", "content_type", "kind"),
    [
        (b"{", JSON, "json_invalid"),
        (b'{"title": NaN}', JSON, "json_invalid"),
        (b'{"state": {"x": Infinity}}', JSON, "json_invalid"),
        (b'{"state": {"x": 1e999}}', JSON, "json_invalid"),
        (b'{"state": {"x": ' + b"9" * 4301 + b"}}", JSON, "json_invalid"),
        (b'{"state": ' + b'{"x":' * 100 + b"1" + b"}" * 101, JSON, "json_invalid"),
        (b"[" * 100_000, JSON, "json_invalid"),
        (b'{"title": "\xff"}', JSON, "json_invalid"),
        (b"\xef\xbb\xbf{}", JSON, "json_invalid"),
        (json.dumps(BODY).encode(), "text/plain", "json_invalid"),
        (b"title=t", "application/x-www-form-urlencoded", "json_invalid"),
        (b"[]", JSON, "model_attributes_type"),
        (b"null", JSON, "model_attributes_type"),
        (b'"text"', JSON, "model_attributes_type"),
        (b"5", JSON, "model_attributes_type"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_not_a_json_object_is_422_with_loc_body(
    app: App, anyone: Caller, method: str, data: bytes, content_type: str, kind: str
) -> None:
    session = anyone.create()
    before = app.rows("scale_sessions")
    path = "/v4/sessions" if method == "POST" else f"/v4/sessions/{session['id']}"
    answer = anyone.call(method, path, data=data, content_type=content_type)
    assert {at: named for at, (named, _) in violations(answer).items()} == {("body",): kind}
    assert app.rows("scale_sessions") == before


@pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=utf-8", "application/x+json"])
def test_a_body_declared_as_json_is_accepted(anyone: Caller, content_type: str) -> None:
    data = json.dumps(BODY)
    answer = anyone.call("POST", "/v4/sessions", data=data, content_type=content_type)
    assert answer.status_code == 200


def test_the_last_of_duplicate_names_wins(anyone: Caller) -> None:
    data = '{"title": "a", "account_id": "acme", "state": {"x": 1, "x": 2}, "title": "b"}'
    session = anyone.call("POST", "/v4/sessions", data=data, content_type=JSON).json
    assert (session["title"], session["state"]) == ("b", {"x": 2})


@pytest.mark.parametrize("body", [{}, None])
def test_every_missing_field_is_listed(anyone: Caller, body: Any) -> None:
    answer = anyone.call("POST", "/v4/sessions", **({} if body is None else {"json": body}))
    missing = ("missing", "Field required")
    assert violations(answer) == {
        ("body", "title"): missing,
        ("body", "state"): missing,
        ("body", "account_id"): missing,
    }


class Published(BaseModel):
    """The types of the requests, for pydantic."""

    title: str = ""
    state: dict[str, Any] = {}
    account_id: str = ""
    start_date: Any = None
    restore: bool = Field(default=False, strict=True)
    page: int = Field(default=1, ge=1)
    limit: int = Field(default=100, ge=1, le=10_000)
    include_archived: bool = False


def pydantic_errors(**values: Any) -> dict[str, tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        Published(**values)
    return {str(each["loc"][0]): (each["type"], each["msg"]) for each in refused.value.errors()}


@pytest.mark.parametrize(
    "values",
    [
        {"title": None, "state": None, "account_id": None},
        {"title": 5, "state": [], "account_id": True},
        {"title": [], "state": "x", "account_id": {}},
    ],
)
def test_violations_of_a_body_have_pydantic_s_types_and_messages(
    anyone: Caller, values: dict[str, Any]
) -> None:
    said = {at[-1]: words for at, words in violations(anyone.post(values)).items()}
    assert said == pydantic_errors(**values)


@pytest.mark.parametrize("restore", ["yes", 1, None, []])
def test_violations_of_a_boolean_have_pydantic_s_types_and_messages(
    anyone: Caller, restore: Any
) -> None:
    session = anyone.create()
    said = violations(anyone.patch(session["id"], {"restore": restore}))["body", "restore"]
    assert said == pydantic_errors(restore=restore)["restore"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "x"),
        ("page", "9" * 5000),
        ("limit", "0"),
        ("limit", "10001"),
        ("limit", "1.5"),
        ("include_archived", "maybe"),
    ],
)
def test_violations_of_a_query_have_pydantic_s_types_and_messages(
    anyone: Caller, name: str, value: str
) -> None:
    said = violations(anyone.get("/v4/sessions", **{name: value}))["query", name]
    assert said == pydantic_errors(**{name: value})[name]


@pytest.mark.parametrize(
    ("statement", "call"),
    [
        ("insert", lambda caller, _: caller.post(BODY)),
        ("by_id", lambda caller, id: caller.get(f"/v4/sessions/{id}")),
        ("_add_to_count", lambda caller, id: caller.delete(id)),
    ],
)
def test_an_internal_error_is_500_without_details_and_writes_nothing(
    app: App,
    anyone: Caller,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    call: Callable[[Caller, str], Any],
) -> None:
    session = anyone.create()
    before = app.rows("scale_sessions"), app.rows("scale_counts")

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(getattr(queries, statement), "_execute", fail)
    answer = call(anyone, session["id"])
    assert_error(answer, 500)
    assert "secret" not in answer.text
    assert (app.rows("scale_sessions"), app.rows("scale_counts")) == before


def test_a_busy_database_is_503_with_both_retry_headers(
    make_file_app: Callable[..., App],
) -> None:
    app = make_file_app(busy_timeout_seconds=0.01)
    anyone = Caller(app, "k")
    other = pw.SqliteDatabase(app.namespace.database.database)
    other.execute_sql("BEGIN IMMEDIATE")
    answer = anyone.post(BODY)
    other.rollback()
    other.close()
    assert_error(answer, 503)
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["retry-after-ms"] == "1000"
    assert anyone.page()["total_item_count"] == 0
    assert anyone.create()


def test_a_list_can_be_read_while_another_program_writes(
    make_file_app: Callable[..., App],
) -> None:
    app = make_file_app(busy_timeout_seconds=0.01)
    session = Caller(app, "k").create()
    other = pw.SqliteDatabase(app.namespace.database.database)
    other.execute_sql("BEGIN IMMEDIATE")
    assert Caller(app, "k").page()["items"] == [session]
    other.rollback()
    other.close()


def test_success_and_422_carry_no_retry_headers(anyone: Caller) -> None:
    assert "retry-after-ms" not in anyone.get("/v4/sessions").headers
    assert "retry-after-ms" not in anyone.get("/v4/sessions?page=0").headers
