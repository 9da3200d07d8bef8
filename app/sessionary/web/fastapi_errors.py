"""Violations in FastAPI's format, which clients show to users. Source: FastAPI and pydantic 2."""

from typing import Any

from sessionary.web.fields import Problem

_VALID = "Input should be a valid"
_DICTIONARY, _INTEGER = f"{_VALID} dictionary", f"{_VALID} integer"
_UNPARSED = "Unable to parse input string"
_WORDS = {
    "missing": ("missing", "Field required"),
    "unknown": ("extra_forbidden", "Extra inputs are not permitted"),
    "document": ("json_invalid", "JSON decode error"),
    "document_type": ("model_attributes_type", f"{_DICTIONARY} or object to extract fields from"),
    "text": ("string_type", f"{_VALID} string"),
    "integer": ("int_type", _INTEGER),
    "integer_fraction": ("int_from_float", f"{_INTEGER}, got a number with a fractional part"),
    "integer_size": ("int_parsing_size", f"{_UNPARSED} as an integer, exceeded maximum size"),
    "boolean": ("bool_type", f"{_VALID} boolean"),
    "object": ("dict_type", _DICTIONARY),
    "list": ("list_type", f"{_VALID} list"),
    "instant": ("datetime_type", f"{_VALID} datetime"),
}
_NO_NULL = ("value_error", "Value error, must not be null")
# pydantic parses the text of a query string, and says so.
_QUERY_WORDS = {
    "integer": ("int_parsing", f"{_INTEGER}, unable to parse string as an integer"),
    "boolean": ("bool_parsing", f"{_VALID} boolean, unable to interpret input"),
}
_BOUNDS = {
    "ge": ("greater_than_equal", "greater than or equal to"),
    "gt": ("greater_than", "greater than"),
    "le": ("less_than_equal", "less than or equal to"),
    "lt": ("less_than", "less than"),
}


def violations(found: list[Problem]) -> list[dict[str, Any]]:
    """Each problem as `{"loc": ["body", "title"], "msg": …, "type": …}`."""
    details: list[dict[str, Any]] = []
    for each in found:
        kind, message = _words(each)
        details.append({"loc": [each.where, *each.path], "msg": message, "type": kind})
        if kind == "json_invalid":
            details[-1]["ctx"] = {"error": each.text}
    return details


def _words(problem: Problem) -> tuple[str, str]:
    if problem.kind == "bounds":
        name, limit = next(iter(problem.bounds.items()))
        kind, words = _BOUNDS[name]
        return kind, f"Input should be {words} {limit}"
    if problem.kind == "null":
        return _WORDS.get(problem.bounds["expected"], _NO_NULL)
    if problem.kind == "choice":
        quoted = [f"'{choice}'" for choice in problem.bounds["choices"]]
        listed = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))  # 'a', 'b' or 'c'
        return "literal_error", f"Input should be {listed}"
    if problem.where == "query" and problem.kind in _QUERY_WORDS:
        return _QUERY_WORDS[problem.kind]
    if problem.kind == "instant_text":
        return "datetime_parsing", f"{_VALID} datetime, {problem.text}"
    return _WORDS.get(problem.kind, ("value_error", f"Value error, {problem.text}"))
