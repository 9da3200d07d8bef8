"""What a surface says about its tables in the seed file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import RAISE
from marshmallow import fields as base

from sessionary.durations import BadDuration, parse_duration
from sessionary.web.fields import Field, Request, problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadRow(ValueError):
    """A row that its schema cannot refuse, but that does not fit the others; says why."""


@dataclass(frozen=True)
class SeedTable:
    """A table of the seed file, and how a loaded row of it comes to be.

    `apply` runs inside one transaction with every other row. Its instant is the namespace's when a
    row of this id was first applied, so that applying a file again changes nothing.
    """

    name: str
    schema: "SeedRow"
    apply: Callable[[dict[str, Any], int], None]
    key: str = "id"


class SeedRow(Request):
    """A row of the seed file; an unknown name is a mistake."""

    class Meta:
        unknown = RAISE


class Ago(Field, base.String):
    """A duration back from the namespace's clock, such as `90s`, `20m`, `1h30m`, `2d`:
    microseconds."""

    wants = "text"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:  # type: ignore[override]
        if not isinstance(value, str):
            raise problem("duration", "must be a string")
        try:
            return parse_duration(value)
        except BadDuration as error:
            raise problem("duration", str(error)) from None


class Moment(Field, base.DateTime):
    """A TOML date-time with an offset, or RFC 3339 text: microseconds."""

    wants = "instant"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:  # type: ignore[override]
        moment = value
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                moment = None
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise problem("instant", "must be a date-time with an offset")
        return (moment - _EPOCH) // timedelta(microseconds=1)
