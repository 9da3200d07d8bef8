"""Fields of control-plane requests: durations, instants and numbers."""

from typing import Any, NamedTuple

from marshmallow import RAISE, Schema
from marshmallow import fields as base

from sessionary.durations import (
    MICROSECONDS,
    BadDuration,
    LongDuration,
    parse_duration,
    parse_signed_duration,
)
from sessionary.web import fields as web
from sessionary.web import instants, responses
from sessionary.web.fields import problem

_UNITS = {
    "microseconds": "us",
    "milliseconds": "ms",
    "seconds": "s",
    "minutes": "m",
    "hours": "h",
    "days": "d",
}


class StrictSchema(web.Request):
    """A schema of the control plane; an unknown name is an error."""

    class Meta:
        unknown = RAISE


def response_schema(name: str, **members: str | base.Field[Any]) -> type[Schema]:
    """Make the schema of a response, which has no other members."""
    return responses.response_schema(name, StrictSchema, **members)


class Instant(web.Instant):
    """An RFC 3339 date-time, loaded as microseconds."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:  # type: ignore[override]
        return super()._deserialize(value, *args, **kwargs) // 1000


class Relative(NamedTuple):
    """An instant of a query as microseconds from now, see `resolve`."""

    by: int


class QueryInstant(web.Text):
    """An instant of a query: a date-time, loaded as microseconds, or `-1h`, as a Relative."""

    expects = "instant"

    def _deserialize(self, value: str, *_: Any, **__: Any) -> Any:
        try:
            if value.startswith(("+", "-", " ")):  # a `+` that is not encoded is a space
                return Relative(parse_signed_duration(value.replace(" ", "+", 1)))
            return instants.parse(value) // 1000
        except instants.NotAnInstant as error:
            text = f"{error}, or a duration from now such as +15m or -2h"
            raise problem("instant_text", text) from None
        except (instants.BadInstant, BadDuration) as error:
            raise problem("instant_text", str(error)) from None


def resolve(query: dict[str, Any], now: int) -> dict[str, Any]:
    """Return a loaded query with its relative instants as those of this `now`."""
    return {
        name: now + value.by if isinstance(value, Relative) else value
        for name, value in query.items()
    }


class Number(web.Field, base.Float):
    """A JSON number."""

    expects = "number"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise problem("number", "must be a number")
        return float(value)


class Duration(web.Field, base.Raw):
    """`90s`, `-5m`, `PT25H` or `{"minutes": 5}`, loaded as microseconds."""

    expects = "duration"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            if isinstance(value, str):
                return parse_signed_duration(value)
            if isinstance(value, dict) and value and value.keys() <= _UNITS.keys():
                return sum(
                    _count(number) * MICROSECONDS[_UNITS[unit]] for unit, number in value.items()
                )
        except LongDuration as error:
            raise problem("duration", str(error)) from None
        except BadDuration as error:
            raise problem("duration", f'{error}, or {{"minutes": 5}}') from None
        units = ", ".join(_UNITS)
        raise problem("duration", f'must be "90s", "PT25H" or an object of {units}')


class MaximumDuration:
    """The limits of a duration that must not be negative: at most a text such as `10m`."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __call__(self, value: int) -> int:
        if not 0 <= value <= parse_duration(self._text):
            raise problem("bounds", f"must be a duration from 0s to {self._text}")
        return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 10**12:
        raise BadDuration("must have whole numbers")
    return value
