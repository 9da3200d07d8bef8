"""Reads as of another instant: the header `Sessionary-At`."""

from flask import request

from sessionary import store
from sessionary.durations import BadDuration, parse_signed_duration
from sessionary.web.fields import Problem
from sessionary.web.instants import BadInstant, parse, to_text
from sessionary.web.operations import Invalid

HEADER = "Sessionary-At"


def as_of(text: str, now: int) -> int:
    """The instant that a read asks for: `2026-03-01T12:00:00Z`, or from now `+15m` or `-2h`.

    A past one rewinds the active namespace, if it keeps a history, until the request is over.
    Raises Invalid for a write, for text that is no instant, and for a past that is not kept.
    """
    if request.method not in ("GET", "HEAD"):
        raise _refusal("only a read can be as of another instant: leave it out of a write")
    try:
        return rewind(_instant(text, now), now)
    except (BadInstant, BadDuration) as error:
        raise _refusal(f"{error}, or from now such as +15m or -2h") from None


def rewind(at: int, now: int) -> int:
    """Make the active namespace what it was at a past instant, until the request is over.

    Of a coming one there is nothing to do. Returns it. Raises Invalid.
    """
    if at >= now:
        return at
    if not store.has_undo_log():
        raise _refusal("lies in the past, of which this server keeps no history; a double does")
    earliest = store.undo_log.earliest_at()
    if earliest is not None and at < earliest:
        raise _refusal(f"must not lie before {to_text(earliest)}, where the history begins")
    store.undo_log.rewind_to(at)
    return at


def _instant(text: str, now: int) -> int:
    if text.startswith(("+", "-")):
        return now + parse_signed_duration(text)
    return parse(text) // 1000


def _refusal(text: str) -> Invalid:
    return Invalid([Problem("value", text, (HEADER,), "header")])
