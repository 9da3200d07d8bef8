"""Ids by their first characters: as tables show them in a terminal, and as arguments have them."""

from collections.abc import Iterable, Sequence

import click

from sessionary.near_names import TOO_SHORT, is_long_enough, unique_beginnings

ID_COLUMNS = ("id", "session", "part", "user", "organization")
_SHOWN = 3  # of the ids that a text may mean, in an error


def shorten(column: str, cells: Sequence[str]) -> list[str]:
    """Return the ids of a column as their shortest unique beginnings; other columns as they are."""
    if column not in ID_COLUMNS:
        return list(cells)
    short = unique_beginnings(cells)
    return [short[cell] for cell in cells]


def full_id(kind: str, text: str, known: Iterable[str]) -> str:
    """Return the only known id that begins with the text; the text itself if none does.

    Raises ClickException for a text that several ids begin with, and for a short one, unless it
    is one of them.
    """
    found = sorted({id for id in known if id.startswith(text)}) if text else []
    if text in found or not found:
        return text
    if not any(is_long_enough(text, id) for id in found):
        raise click.ClickException(f"{kind} {text!r} not found: {TOO_SHORT}")
    if len(found) > 1:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        shown = ", ".join(found[:_SHOWN])
        raise click.ClickException(f"{kind} {text!r} is one of several: {shown}{more}")
    return found[0]
