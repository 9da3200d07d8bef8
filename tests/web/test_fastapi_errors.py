"""Violations are compared with those of pydantic, which the vendors' clients install."""

from typing import Any, Literal

import pytest
from marshmallow import ValidationError, fields
from pydantic import BaseModel, Field, StrictBool, StrictStr
from pydantic import ValidationError as PydanticError

from sessionary.web.fastapi_errors import violations
from sessionary.web.fields import Boolean, Bounds, Integer, List, Object, OneOf, Request, Text
from sessionary.web.fields import problems as found_problems


class Ours(Request):
    text = Text()
    whole = Integer(validate=Bounds(1, 30))
    flag = Boolean()
    free = Object()
    many = List(Text())
    word = Text(validate=OneOf(("a", "b", "c")))
    pair = Text(validate=OneOf(("a", "b")))
    needed = Text(required=True)


class Theirs(BaseModel):
    text: StrictStr = ""
    whole: int = Field(default=1, ge=1, le=30)
    flag: StrictBool = True
    free: dict[str, Any] = Field(default_factory=dict)
    many: list[StrictStr] = Field(default_factory=list)
    word: Literal["a", "b", "c"] = "a"
    pair: Literal["a", "b"] = "a"
    needed: StrictStr


def ours(body: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(ValidationError) as refused:
        Ours().load(body)
    return violations(found_problems(refused.value, "body"))


def theirs(body: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(PydanticError) as refused:
        Theirs.model_validate(body)
    return [
        {"loc": ["body", *each["loc"]], "msg": each["msg"], "type": each["type"]}
        for each in refused.value.errors()
    ]


@pytest.mark.parametrize("needed", [None, 5, ...])
def test_a_required_field_has_the_words_of_pydantic(needed: Any) -> None:
    body = {} if needed is ... else {"needed": needed}
    assert ours(body) == theirs(body)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("text", [None]),
        ("whole", [5.5, 0, 31, None]),
        ("flag", [1, "true"]),
        ("free", [[], None]),
        ("many", ["a", ["a", 1]]),
        ("word", ["d"]),
        ("pair", ["d"]),
    ],
)
def test_a_violation_has_the_words_of_pydantic(name: str, values: list[Any]) -> None:
    for value in values:
        body = {"needed": "", name: value}
        assert ours(body) == theirs(body)


def test_null_is_a_violation_for_a_field_of_any_kind() -> None:
    class Body(Request):
        it = fields.Raw(required=True, allow_none=False)

    with pytest.raises(ValidationError) as refused:
        Body().load({"it": None})
    (violation,) = violations(found_problems(refused.value, "body"))
    assert violation["loc"] == ["body", "it"]
    assert violation["type"] == "value_error"
