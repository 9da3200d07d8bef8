"""As-of reads: the header `Sessionary-At`."""

from flask import request

from sessionary import store
from sessionary.durations import BadDuration, parse_signed_duration
from sessionary.web import messages
from sessionary.web.fields import Problem
from sessionary.web.instants import BadInstant, NotAnInstant, parse, to_text
from sessionary.web.operations import Invalid

HEADER = "Sessionary-At"


def as_of(text: str, now: int) -> int:
    """The instant of the header: `2026-03-01T12:00:00Z`, or relative to `now`: `+15m`, `-2h`.

    With a past instant the namespace is read as of then until the request ends. Raises Invalid for
    a write or a message, for text that is not an instant, and for a past that is not recorded.
    """
    if request.method == messages.METHOD:
        raise _invalid("a message is about now: leave it out, also of the key and of the path")
    if request.method not in ("GET", "HEAD"):
        raise _invalid("only a read can be as of another instant: leave it out of a write")
    try:
        is_relative = text.startswith(("+", "-"))
        at = now + parse_signed_duration(text) if is_relative else parse(text) // 1000
    except NotAnInstant as error:
        raise _invalid(f"{error}, or a duration from now such as +15m or -2h") from None
    except (BadInstant, BadDuration) as error:
        raise _invalid(f"{error}") from None
    return read_at(at, now)


def read_at(at: int, now: int) -> int:
    """Read the active namespace as of an instant until the request ends; return the instant.

    Raises Invalid for a past that is not recorded.
    """
    if at >= now:
        return at
    if not store.has_undo_log():
        raise _invalid("lies in the past, of which this server keeps no history; a double does")
    earliest = store.undo_log.earliest_at()
    if earliest is not None and at < earliest:
        raise _invalid(f"must not lie before {to_text(earliest)}, where the history begins")
    store.undo_log.read_from(store.undo_log.position_at(at))
    return at


def _invalid(text: str) -> Invalid:
    return Invalid([Problem("value", text, (HEADER,), "header")])
