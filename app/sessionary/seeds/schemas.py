"""Schemas and fields of seed files: what the tables of every surface are built from."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import RAISE
from marshmallow import fields as base

from sessionary.durations import BadDuration, parse_duration
from sessionary.web.fields import Field, Request, problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadRow(ValueError):
    """A valid row that contradicts other rows; the message says how."""


class Outdated(Exception):
    """What a plan of writes rests on has changed before they were made."""


class SeedRow(Request):
    """A row of the seed file; unknown names are refused."""

    class Meta:
        unknown = RAISE


class Ago(Field, base.String):
    """A duration back from the namespace's clock, e.g. `90s`, `1h30m`, `2d`, in microseconds."""

    expects = "text"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:  # type: ignore[override]
        if not isinstance(value, str):
            raise problem("duration", "must be a string")
        try:
            return parse_duration(value)
        except BadDuration as error:
            raise problem("duration", str(error)) from None


class Moment(Field, base.DateTime):
    """A TOML date-time with an offset, or RFC 3339 text, in microseconds since 1970."""

    expects = "instant"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:  # type: ignore[override]
        moment = value
        if isinstance(value, str):
            with suppress(ValueError):
                moment = datetime.fromisoformat(value)
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise problem("instant", "must be a date-time with an offset")
        return (moment - _EPOCH) // timedelta(microseconds=1)
