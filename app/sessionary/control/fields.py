"""What control input is made of: durations and instants, as people write them."""

import re
from typing import Any

from marshmallow import RAISE
from marshmallow import fields as base

from sessionary.durations import BadDuration, parse_duration
from sessionary.web import fields as wire
from sessionary.web.fields import problem

_UNITS = {"microseconds": 1, "milliseconds": 1_000, "seconds": 1_000_000}
_UNITS |= {"minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000}
_ISO = re.compile(r"P(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?)?")


class Strict(wire.Request):
    """Control input; a name that it does not know is a mistake."""

    class Meta:
        unknown = RAISE


class Instant(wire.Instant):
    """An RFC 3339 date-time: microseconds."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:  # type: ignore[override]
        return super()._deserialize(value, *args, **kwargs) // 1000


class Number(wire.Field, base.Float):
    """A JSON number."""

    wants = "number"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise problem("number", "must be a number")
        return float(value)


class Duration(wire.Field, base.Raw):
    """`90s`, `-5m`, `PT25H` or `{"minutes": 5}`: microseconds, negative for back."""

    wants = "duration"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        try:
            if isinstance(value, str):
                back = value.startswith("-")
                by = _read(value.removeprefix("-").removeprefix("+"))
                return -by if back else by
            if isinstance(value, dict) and value and value.keys() <= _UNITS.keys():
                return sum(_amount(found) * _UNITS[unit] for unit, found in value.items())
        except BadDuration as error:
            raise problem("duration", f'{error}, "PT25H", or {{"minutes": 5}}') from None
        units = ", ".join(_UNITS)
        raise problem("duration", f'must be "90s", "PT25H" or an object of {units}')


def _read(text: str) -> int:
    iso = _ISO.fullmatch(text)
    if iso is None or not any(iso.groups()):
        return parse_duration(text)
    parts = zip(iso.groups(), "dhms", strict=True)
    return parse_duration("".join(f"{count}{unit}" for count, unit in parts if count))


def _amount(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 10**12:
        raise BadDuration("must count in whole numbers, such as")
    return value
