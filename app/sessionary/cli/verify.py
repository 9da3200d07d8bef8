"""`sessionary verify`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sessionary.cli.control import SURFACE
from sessionary.cli.output import Output, error_text, json_option, print_output

if TYPE_CHECKING:
    from sessionary.replay.differences import Difference
    from sessionary.replay.verification import Call

_MAX_LENGTH = 120


@click.command(epilog="Example: sessionary verify traffic.har --surface notte")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--surface", type=SURFACE, required=True, help="The vendor that was recorded.")
@json_option
def verify(file: Path, surface: str, as_json: bool) -> None:
    """Compare a double with a vendor's service, recorded as HAR.

    Its calls are made again in a new double, each at the instant of the recording. Ids are mapped,
    instants may differ by 2 seconds and the duration of the call. Exits with 1 if no call could be
    compared.
    """
    from sessionary.client import ControlError
    from sessionary.replay.har import BadHar, read_har
    from sessionary.replay.verification import score, verify

    try:
        calls = verify(read_har(file), surface)
    except (BadHar, ControlError, OSError) as error:
        raise click.ClickException(error_text(error)) from None
    text, is_empty = "\n".join(_lines(surface, calls)), score(calls) is None
    print_output(Output(_to_json(surface, calls), text, int(is_empty)), as_json)


def _lines(surface: str, calls: "Sequence[Call]") -> Iterator[str]:
    from sessionary.replay.verification import counts, score
    from sessionary.web.instants import to_text

    percentage = score(calls)
    if percentage is None:
        yield f"{surface}: no call could be compared"
    else:
        found = counts(calls)
        parts = [f"{check} {held} of {count}" for check, (held, count) in found.items() if count]
        yield f"{surface}: {percentage:g} % ({', '.join(parts)})"
    for call in calls:
        line = f"{to_text(call.entry.at)}  {call.entry.method} {call.entry.path}"
        if call.left_out is not None:
            yield f"{line}: left out, {call.left_out}"
            continue
        failed = [check for check, is_passed in call.checks.items() if is_passed is False]
        outcome = f"differs in {', '.join(failed)}" if failed else "same"
        yield f"{line} -> {call.entry.status}: {outcome}"
        yield from (f"    {_difference_line(each)}" for each in call.differences)


def _difference_line(difference: "Difference") -> str:
    check, pointer, recorded, double = difference
    return f"{check} {pointer or '/'}: {_text(recorded)} in the recording, {_text(double)} here"


def _text(value: Any) -> str:
    from sessionary.replay.differences import MISSING

    if value is MISSING:
        return "nothing"
    text = value if isinstance(value, str) and " " in value else json.dumps(value)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"


def _to_json(surface: str, calls: "Sequence[Call]") -> dict[str, Any]:
    from sessionary.replay.verification import counts, score
    from sessionary.web.instants import to_text

    return {
        "surface": surface,
        "score": score(calls),
        "checks": {
            check: {"held": held, "count": count} for check, (held, count) in counts(calls).items()
        },
        "calls": [
            {
                "at": to_text(call.entry.at),
                "method": call.entry.method,
                "path": call.entry.path,
                "route": call.route,
                "left_out": call.left_out,
                "checks": call.checks,
                "differences": [_difference_json(each) for each in call.differences],
            }
            for call in calls
        ],
    }


def _difference_json(difference: "Difference") -> dict[str, Any]:
    from sessionary.replay.differences import MISSING

    found = difference._asdict()
    return {name: value for name, value in found.items() if value is not MISSING}
