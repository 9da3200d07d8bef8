from typing import Any

import pytest
from marshmallow import ValidationError

from sessionary.web.fields import (
    Boolean,
    Bounds,
    Instant,
    Integer,
    List,
    Object,
    OneOf,
    QueryBoolean,
    QueryInteger,
    Request,
    Text,
    problems,
)


def refusal(field: Any, value: Any) -> str:
    """The kind of problem that a field has with a value."""

    class Body(Request):
        it = field

    with pytest.raises(ValidationError) as refused:
        Body().load({"it": value})
    (found,) = problems(refused.value, "body")
    assert found.path[0] == "it"
    return found.kind


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        (Text(), 5, "text"),
        (Text(), True, "text"),
        (Text(), "a\x00b", "text_content"),
        (Text(), "\ud800", "text_content"),
        (Text(), None, "null"),
        (Integer(), "5", "integer"),
        (Integer(), True, "integer"),
        (Integer(), 5.5, "integer_fraction"),
        (Integer(), 2**63, "integer_size"),
        (Integer(), 1e300, "integer_size"),
        (Integer(), None, "null"),
        (Integer(validate=Bounds(1, 30)), 0, "bounds"),
        (Integer(validate=Bounds(1, 30)), 31, "bounds"),
        (Boolean(), 1, "boolean"),
        (Boolean(), "yes", "boolean"),
        (Boolean(), None, "null"),
        (Object(), [], "object"),
        (Object(), "{}", "object"),
        (List(Text()), "a", "list"),
        (List(Text()), [1], "text"),
        (Instant(), 5, "instant"),
        (Instant(), "yesterday", "instant_text"),
        (Text(validate=OneOf(("a", "b"))), "c", "choice"),
        (QueryInteger(), "५", "integer"),
        (QueryInteger(), "1_0", "integer"),
        (QueryInteger(), " 1", "integer"),
        (QueryInteger(), "+1", "integer"),
        (QueryInteger(), "9" * 21, "integer_size"),
        (QueryInteger(), "9" * 19, "integer_size"),
        (QueryBoolean(), "yes", "boolean"),
        (QueryBoolean(), "", "boolean"),
    ],
)
def test_a_value_of_another_type_is_refused(field: Any, value: Any, kind: str) -> None:
    assert refusal(field, value) == kind


@pytest.mark.parametrize(
    ("field", "value", "loaded"),
    [
        (Integer(), 5.0, 5),
        (Integer(), -(2**63) + 1, -(2**63) + 1),
        (Integer(validate=Bounds(1, 30)), 1, 1),
        (Integer(validate=Bounds(1, 30)), 30, 30),
        (Text(), "", ""),
        (Text(), "\u2028 \U0001f600", "\u2028 \U0001f600"),
        (Object(), {"\ud800": "\x00"}, {"\ud800": "\x00"}),
        (QueryInteger(), "-7", -7),
        (QueryInteger(), "007", 7),
        (QueryBoolean(), "TRUE", True),
        (QueryBoolean(), "0", False),
        (Instant(assume_utc=True), "1970-01-01T00:00:01", 1_000_000_000),
    ],
)
def test_a_value_of_the_right_type_is_accepted(field: Any, value: Any, loaded: Any) -> None:
    class Body(Request):
        it = field

    result = Body().load({"it": value})["it"]
    assert result == loaded
    assert type(result) is type(loaded)


def test_every_problem_of_a_request_is_listed_with_its_place() -> None:
    class Body(Request):
        name = Text(required=True)
        tags = List(Text())
        count = Integer(data_key="howMany")

    with pytest.raises(ValidationError) as refused:
        Body().load({"tags": ["a", 1], "howMany": "x"})
    found = {(each.path, each.kind) for each in problems(refused.value, "body")}
    assert found == {(("name",), "missing"), (("tags", 1), "text"), (("howMany",), "integer")}


def test_the_text_of_a_bound_names_both_limits_and_its_data_the_exceeded_one() -> None:
    bounds = Bounds(0, 30, min_inclusive=False, max_inclusive=False)
    with pytest.raises(ValidationError) as refused:
        bounds(30)
    (problem,) = refused.value.messages
    assert problem.text == "must be greater than 0 and less than 30"
    assert problem.bounds == {"lt": 30}
