"""Values of arguments and options: instants, durations, and values that begin with a dash."""

import math
import re
from typing import Any
from urllib.parse import urlsplit

import click

from sessionary.durations import BadDuration, parse_duration, parse_signed_duration
from sessionary.web.instants import BadInstant, NotAnInstant, parse

_SIGNED = re.compile("-[0-9.P].*")


class Instant(click.ParamType):  # type: ignore[type-arg]
    """An RFC 3339 instant, or a duration with a sign: relative to the clock. Stays text."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        try:
            if is_relative(text):
                parse_signed_duration(text)
            else:
                parse(text)
        except (BadInstant, BadDuration) as error:
            is_other = isinstance(error, NotAnInstant)
            hint = ", or relative such as +15m or -1h" if is_other else ""
            self.fail(f"{text!r} {error}{hint}", param, ctx)
        return text


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A duration such as `90s`; with a sign only if it is allowed. Stays text."""

    name = "duration"

    def __init__(self, *, is_signed: bool = False) -> None:
        self._parse = parse_signed_duration if is_signed else parse_duration

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        try:
            self._parse(text)
        except BadDuration as error:
            self.fail(f"{text!r} {error}", param, ctx)
        return text


class Number(click.FloatRange):
    """A number within limits; JSON has neither NaN nor infinity."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = click.FLOAT.convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"must be a finite number, not {number}", param, ctx)
        return float(super().convert(value, param, ctx))


INSTANT = Instant()
ROW_ID = click.IntRange(1, 10**18 - 1)  # what the control plane takes as one
DURATION = Duration()
SIGNED_DURATION = Duration(is_signed=True)


def check_url(url: str, hint: str | None = None) -> None:
    """Raise BadParameter for a URL whose host or port cannot be one."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        parts.port  # noqa: B018 - read for its ValueError
    except ValueError as error:
        why = "a part of its host name is empty or too long"
        text = why if isinstance(error, UnicodeError) else error
        raise click.BadParameter(f"{url}: {text}", param_hint=hint) from error


def absolute(text: str, now: int) -> int:
    """Return an instant in microseconds, of text that is one or a duration from `now`."""
    return now + parse_signed_duration(text) if is_relative(text) else parse(text) // 1000


def is_relative(text: str) -> bool:
    """Return whether the text of an instant is a duration from now."""
    return text.startswith(("+", "-"))


class SignedCommand(click.Command):
    """A command with arguments that may begin with a dash and a digit: `-1h` is not `-h`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        takes_value = {
            name
            for each in self.params
            if isinstance(each, click.Option) and not each.is_flag
            for name in each.opts
        }
        is_moved = [
            bool(_SIGNED.fullmatch(arg)) and before not in takes_value
            for before, arg in zip(["", *args], args, strict=False)
        ]
        if any(is_moved) and "--" not in args:
            kept = [arg for arg, moved in zip(args, is_moved, strict=True) if not moved]
            args = [*kept, "--", *(arg for arg, moved in zip(args, is_moved, strict=True) if moved)]
        return super().parse_args(ctx, args)
