"""Errors of the framework and of the database, in Scale's shape."""

from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from tests.surfaces.scale.conftest import Caller, violations

BODY = {"title": "t", "state": {}, "account_id": "acme"}
JSON = "application/json"


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
def test_violations_of_a_body_are_those_of_pydantic(anyone: Caller, values: dict[str, Any]) -> None:
    said = {at[-1]: words for at, words in violations(anyone.post(values)).items()}
    assert said == pydantic_errors(**values)


@pytest.mark.parametrize("restore", ["yes", 1, None, []])
def test_violations_of_a_boolean_are_those_of_pydantic(anyone: Caller, restore: Any) -> None:
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
def test_violations_of_a_query_are_those_of_pydantic(anyone: Caller, name: str, value: str) -> None:
    said = violations(anyone.get("/v4/sessions", **{name: value}))["query", name]
    assert said == pydantic_errors(**{name: value})[name]


def test_success_and_422_carry_no_retry_headers(anyone: Caller) -> None:
    assert "retry-after-ms" not in anyone.get("/v4/sessions").headers
    assert "retry-after-ms" not in anyone.get("/v4/sessions?page=0").headers
