"""Tables of the commands: in full in a pipe; in a terminal in colour, and made to fit its width."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from sessionary.cli.ids import ID_COLUMNS, shorten

Row = Mapping[str, Any]
_GAP = "  "
_NARROWEST = 5
_COARSE = 10  # of a unit, from where on the next one is left out
_INSTANT = re.compile(r"(at )?([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})\.[0-9]{6}Z")
# What a terminal would obey, or show in another order.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def format_table(
    rows: Sequence[Row],
    empty: str = "",
    *,
    now: Callable[[], datetime] | None = None,
    colours: Mapping[str, Callable[[Row], str]] | None = None,
) -> str:
    """Format rows in aligned columns under their names. None is a dash, no rows are `empty`.

    In a terminal, ids are shortened to their first characters. If the table is too wide for it,
    instants are shown relative to `now`, and then the widest cells are cut.
    `colours` has a function from a row to the colour of its cell, by column.
    """
    if not rows:
        return empty
    columns = {name: [cell_text(row[name]) for row in rows] for name in rows[0]}
    if is_terminal():
        columns = {name: shorten(name, cells) for name, cells in columns.items()}
    widths = {name: _width(name, cells) for name, cells in columns.items()}
    if is_terminal():
        columns, widths = _fit(columns, widths, now)
    headings = (_cut(name, width).ljust(width) for name, width in widths.items())
    lines = [style(_GAP.join(headings).rstrip(), bold=True)]
    for number, row in enumerate(rows):
        cells = {
            name: _cut(columns[name][number], width).ljust(width) for name, width in widths.items()
        }
        for name, colour in (colours or {}).items():
            cells[name] = style(cells[name], fg=colour(row))
        lines.append(_GAP.join(cells.values()).rstrip())
    return "\n".join(lines)


def cell_text(value: Any) -> str:
    """Return a value as the text of a cell, on one line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


def is_terminal() -> bool:
    """Return whether the output is read by a person."""
    return sys.stdout.isatty()


def style(text: str, **styles: Any) -> str:
    """Return text with a colour, if the output is a terminal."""
    return click.style(text, **styles) if is_terminal() else text


def _width(name: str, cells: Sequence[str]) -> int:
    return max(len(name), *map(len, cells))


def _fit(
    columns: dict[str, list[str]], widths: dict[str, int], now: Callable[[], datetime] | None
) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Return the cells, with relative instants if need be, and widths that the terminal has."""
    limit = shutil.get_terminal_size().columns - len(_GAP) * (len(columns) - 1)
    has_instants = any(_INSTANT.search(cell) for cells in columns.values() for cell in cells)
    if sum(widths.values()) > limit and now is not None and has_instants:
        at = now()
        columns = {name: [_relative(cell, at) for cell in cells] for name, cells in columns.items()}
        widths = {name: _width(name, cells) for name, cells in columns.items()}
    widths = dict(widths)
    while sum(widths.values()) > limit and max(widths.values()) > _NARROWEST:
        # The end of an id may be what differs: it is cut last.
        wide = [name for name in widths if widths[name] > _NARROWEST]
        widest = max(wide, key=lambda name: (name not in ID_COLUMNS, widths[name]))
        widths[widest] -= 1
    return columns, widths


def _relative(cell: str, now: datetime) -> str:
    """Return a cell with its instants as `5m ago` or `in 1d2h`."""

    def replace(found: re.Match[str]) -> str:
        seconds = round((datetime.fromisoformat(f"{found[2]}Z") - now).total_seconds())
        text = _amount(abs(seconds))
        return f"in {text}" if seconds >= 0 else f"{text} ago"

    return _INSTANT.sub(replace, cell)


def _amount(seconds: int) -> str:
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days}d" if days >= _COARSE else f"{days}d{hours % 24}h"
    if hours:
        return f"{hours}h" if hours >= _COARSE else f"{hours}h{minutes % 60}m"
    if minutes:
        return f"{minutes}m" if minutes >= _COARSE else f"{minutes}m{seconds % 60}s"
    return f"{seconds}s"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
