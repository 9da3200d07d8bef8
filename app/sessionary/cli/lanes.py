"""`sessionary lanes`."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import click

from sessionary.cli.control import SURFACE, control_command
from sessionary.cli.ids import shorten
from sessionary.cli.output import Output
from sessionary.cli.tables import cell_text, is_terminal, style
from sessionary.cli.values import INSTANT
from sessionary.client import Client
from sessionary.web.instants import parse, to_text

_MARKS = {  # character and colour of a status, by what it means
    "open": ("█", "green"),
    "held": ("▓", "cyan"),
    "empty": ("▒", "yellow"),
    "timed_out": ("x", "red"),
    "failed": ("!", "red"),
    "closed": ("·", "bright_black"),
}
_LEAST_COLUMNS, _TITLE_FROM, _TITLE_LENGTH = 20, 110, 20
_DAY = 86_400_000_000
_LAST = parse("9999-12-31T23:59:59.999999Z") // 1000


class _Scale(NamedTuple):
    """The instants of the first and the last column, and the number of columns."""

    begins_at: int
    ends_at: int
    now: int
    columns: int

    def at(self, column: int) -> int:
        """Return the instant at the end of a column."""
        return self.begins_at + (self.ends_at - self.begins_at) * (column + 1) // self.columns

    def is_now(self, column: int) -> bool:
        """Return whether the clock's time lies in a column."""
        return self.at(column - 1) < self.now <= self.at(column)


@click.command(epilog="Example: sessionary lanes --from -1h --to +1h --open")
@click.option("--from", "from_", type=INSTANT, help="Begin here (default: the first change).")
@click.option("--to", type=INSTANT, help="End here (default: the last change to come).")
@click.option("--surface", type=SURFACE, help="Only sessions of this surface.")
@click.option("--status", help="Only sessions with this status.")
@click.option("--open/--ended", "is_open", default=None, help="Only open, or only ended sessions.")
@click.option("--text", help="Only sessions with this text in id, title or surface.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Maximum number of sessions.",
)
@click.option("--at", type=INSTANT, help="Choose and name statuses as of this instant.")
@control_command
def lanes(client: Client, from_: str | None, is_open: bool | None, **options: Any) -> Output:
    """Draw the statuses of sessions over time, past and future.

    A line is a session, a column is a span of time. The future is what happens if no call comes.
    """
    at, text = options.pop("at"), options.pop("text")
    state = None if is_open is None else str(is_open).lower()
    query = {"from": from_, "open": state, "q": text, **options}
    found = client.api.request(dict, "GET", "lanes", query=query, at=at)
    surfaces = client.api.request(list, "GET", "surfaces")
    text = "\n".join(_draw(found, _meanings(surfaces))) if found["lanes"] else "No sessions found"
    return Output(found, text)


def _meanings(surfaces: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    return {
        (surface["name"], status["name"]): status["meaning"]
        for surface in surfaces
        for status in surface["statuses"]
    }


def _draw(found: Mapping[str, Any], meanings: Mapping[tuple[str, str], str]) -> Iterator[str]:
    labels = _labels(found["lanes"], _instant(found["now"]))
    width = max(map(len, labels))
    columns = max(_LEAST_COLUMNS, shutil.get_terminal_size().columns - width - 1)
    begins_at = min(_instant(found["from"]), _LAST - columns)
    ends_at = max(_instant(found["to"]), begins_at + columns)
    scale = _Scale(begins_at, ends_at, _instant(found["now"]), columns)
    yield f"{' ' * width} {_axis(scale)}"
    used: set[str] = set()
    for label, lane in zip(labels, found["lanes"], strict=True):
        yield f"{label.ljust(width)} {_bar(lane, scale, meanings, used)}"
    yield ""
    yield "  ".join(
        f"{style(mark, fg=colour)} {meaning}"
        for meaning, (mark, colour) in _MARKS.items()
        if meaning in used
    )
    if found["truncated"]:
        yield "There are more sessions: raise --limit, or choose some."


def _labels(lanes: Sequence[Sequence[Any]], now: int) -> list[str]:
    ids = [lane[1] for lane in lanes]
    columns = [
        [lane[0] for lane in lanes],
        shorten("id", ids) if is_terminal() else ids,
        [_status(lane[4], now) or "-" for lane in lanes],
    ]
    if shutil.get_terminal_size().columns >= _TITLE_FROM:
        columns.append([cell_text(lane[2])[:_TITLE_LENGTH] for lane in lanes])
    padded = [[cell.ljust(max(map(len, cells))) for cell in cells] for cells in columns]
    return ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]


def _status(segments: Sequence[Sequence[Any]], at: int) -> str | None:
    """Return the status at an instant; None where the session does not exist."""
    passed = [status for begun_at, status, _ in segments if begun_at <= at]
    return passed[-1] if passed else None


def _bar(
    lane: Sequence[Any],
    scale: _Scale,
    meanings: Mapping[tuple[str, str], str],
    used: set[str],
) -> str:
    surface, _, _, _, segments = lane
    cells = []
    for column in range(scale.columns):
        status = _status(segments, scale.at(column))
        meaning = meanings[surface, status] if status else ""
        used.add(meaning)
        mark, colour = _MARKS.get(meaning, (" ", "reset"))
        if scale.is_now(column):
            cells.append(style("|", bold=True))
        else:
            cells.append(style(mark, fg=colour, dim=scale.at(column) > scale.now))
    return "".join(cells).rstrip()


def _axis(scale: _Scale) -> str:
    """Return the line of times: the ends, and the clock's time over its column."""
    shown = slice(5, 16) if scale.ends_at - scale.begins_at > _DAY else slice(11, 19)
    first, now, last = (
        to_text(at)[shown].replace("T", " ") for at in (scale.begins_at, scale.now, scale.ends_at)
    )
    line = list(first + " " * (scale.columns - len(first) - len(last)) + last)
    for column in range(scale.columns):
        label = f"now {now}" if scale.is_now(column) else ""
        begin = column - len(label) // 2
        if label and begin > len(first) and begin + len(label) < scale.columns - len(last):
            line[begin : begin + len(label)] = label
        elif label and line[column] == " ":
            line[column] = "|"
    return "".join(line)


def _instant(text: str) -> int:
    return parse(text) // 1000
