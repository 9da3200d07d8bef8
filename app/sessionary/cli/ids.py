"""Ids by their first characters: as tables show them in a terminal, and as arguments have them."""

import re
from collections.abc import Iterable, Sequence

import click

ID_COLUMNS = ("id", "session", "part", "user", "organization")
_LENGTH = 8  # of a shortened id, after a prefix such as key_
_SHOWN = 3  # of the ids that a text may mean, in an error


def shorten(column: str, cells: Sequence[str]) -> list[str]:
    """Return the ids of a column as their shortest unique beginnings; other columns as they are."""
    if column not in ID_COLUMNS:
        return list(cells)
    known = sorted(set(cells))
    short = {}
    for before, id, after in zip(["", *known], known, [*known[1:], ""], strict=False):
        shared = max(_shared_length(id, before), _shared_length(id, after))
        prefix = re.match("[a-z]*_|", id)
        short[id] = id[: max(shared + 1, len(prefix[0] if prefix else "") + _LENGTH)]
    return [short[cell] for cell in cells]


def full_id(kind: str, text: str, known: Iterable[str]) -> str:
    """Return the only known id that begins with the text; the text itself if none does.

    Raises ClickException for a text that several ids begin with, unless it is one of them.
    """
    found = [id for id in dict.fromkeys(known) if id.startswith(text)] if text else []
    if text in found or not found:
        return text
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        shown = ", ".join(found[:_SHOWN])
        raise click.ClickException(f"{kind} {text} is one of several: {shown}{more}")
    return found[0]


def _shared_length(one: str, other: str) -> int:
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))
