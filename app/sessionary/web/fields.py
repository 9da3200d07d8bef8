"""Strict marshmallow fields and validators for requests.

Nothing is coerced: a string is not a number, a number is not true. Errors are Problems; a surface
translates their `kind` into its vendor's words or shows their `text`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validate
from marshmallow import fields as base

from sessionary.web import instants

_UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")
_DIGITS = re.compile("-?[0-9]+", re.ASCII)
_WORDS = {"true": True, "1": True, "false": False, "0": False}
_BOUNDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
_MAX_INTEGER = 2**63 - 1  # the largest of a database column


@dataclass(frozen=True)
class Problem:
    """One mistake in a request: its place, its kind and a sentence."""

    kind: str
    text: str
    path: tuple[str | int, ...] = ()
    where: str = "body"
    bounds: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pointer(self) -> str:
        """The place: `/to/session` in the body, else the name of a parameter or header."""
        if self.where != "body":
            return ".".join(map(str, self.path)) or self.where
        return "".join(f"/{each}" for each in self.path) or "/"

    def as_error(self) -> ValidationError:
        """The problem as an error that marshmallow collects."""
        return ValidationError([self])


def problem(kind: str, text: str, **bounds: Any) -> ValidationError:
    """Make the error that a field or a validator raises."""
    return Problem(kind, text, bounds=bounds).as_error()


class Request(Schema):
    """A body or a query. Unknown names are ignored unless `Meta.unknown` is RAISE."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {  # noqa: RUF012 - marshmallow declares it so
        "unknown": Problem("unknown", "is not a known field")  # type: ignore[dict-item]
    }


class Field(base.Field[Any]):
    """A field that reports Problems; `expects` is the kind of its values."""

    expects = "value"

    def make_error(self, key: str, **_: Any) -> ValidationError:
        """Translate marshmallow's own errors: a required value is missing or null."""
        if key == "required":
            return problem("missing", "is required")
        if key == "null":
            return problem("null", "must not be null", expected=self.expects)
        return problem(self.expects, f"must be a {self.expects}")


class Text(Field, base.String):
    """A string without NUL and lone surrogates, which not every client and database can hold."""

    expects = "text"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise problem("text", "must be a string")
        if _UNPRINTABLE.search(value):
            raise problem("text_content", "must not contain NUL or a lone surrogate")
        return value


class Integer(Field, base.Integer):
    """A whole number; `5.0` is one, `true` and `"5"` are not."""

    expects = "integer"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise problem("integer", "must be an integer")
        if value != int(value):
            raise problem("integer_fraction", "must be an integer, without a fraction")
        if abs(value) > _MAX_INTEGER:
            raise problem("integer_size", "must be an integer of at most 64 bits")
        return int(value)


class Boolean(Field, base.Boolean):
    """`true` or `false`."""

    expects = "boolean"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise problem("boolean", "must be true or false")
        return value


class Object(Field, base.Dict):
    """Any JSON object, unchanged: lone surrogates, big integers and key order included."""

    expects = "object"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise problem("object", "must be an object")
        return value


class List(Field, base.List[Any]):
    """A list of values of the inner field."""

    expects = "list"


class Instant(Field, base.DateTime):
    """An RFC 3339 date-time as integer nanoseconds; with `assume_utc` the offset may be missing."""

    expects = "instant"

    def __init__(self, *, assume_utc: bool = False, **kwargs: Any) -> None:
        self._assume_utc = assume_utc
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:  # type: ignore[override]
        if not isinstance(value, str):
            raise problem("instant", "must be a date-time string")
        try:
            return instants.parse(value, assume_utc=self._assume_utc)
        except instants.BadInstant as error:
            raise problem("instant_text", str(error)) from None


class QueryInteger(Integer):
    """ASCII digits in a query string."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if not _DIGITS.fullmatch(value):
            raise problem("integer", "must be an integer")
        if len(value) > 20:
            raise problem("integer_size", "must be an integer of at most 64 bits")
        return super()._deserialize(int(value), *args, **kwargs)


class QueryBoolean(Boolean):
    """true, false, 1 or 0, in any case, in a query string."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value.lower() not in _WORDS:
            raise problem("boolean", "must be true or false")
        return _WORDS[value.lower()]


class Bounds(validate.Range):
    """Limits of a number; OpenAPI shows them, too."""

    def __call__(self, value: Any) -> Any:
        try:
            return super().__call__(value)
        except ValidationError:
            lower = {"ge" if self.min_inclusive else "gt": self.min}
            upper = {"le" if self.max_inclusive else "lt": self.max}
            exceeded = lower if self.min is not None and value <= self.min else upper
            limits = [f"{_BOUNDS[key]} {n}" for key, n in (lower | upper).items() if n is not None]
            raise problem("bounds", f"must be {' and '.join(limits)}", **exceeded) from None


class OneOf(validate.OneOf):
    """The accepted values."""

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            words = ", ".join(str(choice) for choice in self.choices)
            raise problem("choice", f"must be one of {words}", choices=tuple(self.choices))
        return value


def problems(error: ValidationError, where: str) -> list[Problem]:
    """The Problems that marshmallow collected, with their places."""
    return list(_flatten(error.messages, (), where))


def _flatten(messages: Any, path: tuple[str | int, ...], where: str) -> Iterator[Problem]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from _flatten(inner, path if name == "_schema" else (*path, name), where)
        return
    for message in messages if isinstance(messages, Sequence) else [messages]:
        if isinstance(message, Problem):
            yield Problem(message.kind, message.text, path + message.path, where, message.bounds)
        else:
            yield Problem("value", str(message), path, where)
