"""`sessionary journal`."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import click

from sessionary.cli.control import SURFACE, DefaultCommandGroup, control_command
from sessionary.cli.ids import shorten
from sessionary.cli.output import Output
from sessionary.cli.tables import cell_text, format_table, is_terminal, style
from sessionary.cli.values import ROW_ID
from sessionary.client import Client, ControlError
from sessionary.client.journal import place
from sessionary.client.transport import MAX_PAGE

_POLL_SECONDS = 0.5


@click.group(
    cls=DefaultCommandGroup,
    default="list",
    epilog="Example: sessionary journal --method POST --status 4xx",
)
def journal() -> None:
    """List, follow and explain recorded calls.

    A server needs --journal for it.
    """


@journal.command("list", epilog="Example: sessionary journal list --surface notte --limit 20")
@click.option("--method", help="Only calls with this HTTP method.")
@click.option("--path", help="Only calls of this route, e.g. /sessions/{id}, or path.")
@click.option("--surface", type=SURFACE, help="Only calls of this surface.")
@click.option("--session", help="Only calls about the session with this id.")
@click.option("--status", help="Only calls with this response status: 404, or 4xx.")
@click.option(
    "--limit", type=click.IntRange(1), help="Maximum number of calls, oldest first (default: all)."
)
@click.option("--follow", is_flag=True, help="Print the last calls, and each new one.")
@control_command
def list_calls(client: Client, limit: int | None, follow: bool, **filters: Any) -> Output:
    """List recorded calls, oldest first; or follow them, until Ctrl-C.

    With --follow, --limit is the number of calls to begin with (default: 10). With --json, each
    call is then a line.
    """
    if filters["session"]:
        filters["session"] = _session(client, filters["session"])
    if follow:
        _follow(client, filters, 10 if limit is None else limit)
    calls = client.journal.find(limit=limit, **filters)
    rows = [_row(call) for call in calls]
    text = format_table(
        rows, "No recorded call matches", now=client.clock.now, colours={"status": _colour}
    )
    if dropped := client.journal.dropped_count():
        text += f"\nThe journal is full: it dropped the {dropped} oldest calls."
    return Output(calls, text)


def _session(client: Client, text: str) -> str:
    """Return the id of a session; one that is gone may have calls all the same."""
    if client.journal.count(session=text):
        return text
    try:
        return client.explain(text)["id"]
    except ControlError as error:
        if error.status == 404 and error.detail.endswith(" not found"):
            return text  # no session begins with it
        raise


def _follow(client: Client, filters: Mapping[str, Any], count: int) -> NoReturn:
    as_json = click.get_current_context().params["as_json"]
    calls = _page(client, filters, order="newest", limit=count)[::-1]
    last = 0
    while True:
        for call in calls:
            click.echo(json.dumps(call) if as_json else _line(call))
            last = call["id"]
        time.sleep(_POLL_SECONDS)
        calls = _page(client, filters, after=last, limit=MAX_PAGE)
        newest = [] if calls else _page(client, {}, order="newest", limit=1)
        if not calls and last and (not newest or newest[0]["id"] < last):
            last = 0  # the journal was cleared: its numbers may begin again


def _page(client: Client, filters: Mapping[str, Any], **query: Any) -> list[Any]:
    found = client.api.request(dict[str, Any], "GET", "journal", query={**filters, **query})
    return list(found["calls"])


def _line(call: Mapping[str, Any]) -> str:
    row = _row(call)
    (session,) = (
        shorten("session", [cell_text(row["session"])]) if is_terminal() else [row["session"]]
    )
    cells = f"{row['id']:>5}", row["at"], f"{row['surface'] or '-':<10}", row["call"], session
    status = style(cell_text(row["status"]), fg=_colour(call))
    shown = " ".join([*map(cell_text, cells[:3]), status, *map(cell_text, cells[3:])])
    return f"{shown} {row['fault']}" if row["fault"] else shown


def _colour(call: Mapping[str, Any]) -> str:
    status = call["status"] or 500
    return "red" if status >= 500 else "yellow" if status >= 400 else "green"


def _row(call: Mapping[str, Any]) -> dict[str, Any]:
    fault = call["fault"]
    return {
        "id": call["id"],
        "at": call["at"],
        "surface": call["surface"],
        "call": f"{call['method']} {place(call)}",
        "status": call["status"],
        "session": call["session"],
        "fault": None if fault is None else f"{fault['id']} ({fault['kind']} {fault['phase']})",
    }


@journal.command(epilog="Example: sessionary journal explain 1")
@click.argument("call", type=ROW_ID)
@control_command
def explain(call: int, client: Client) -> Output:
    """List every error in the call with the number CALL."""
    found = client.journal.explain(call)
    return Output(found, "\n".join(_explanation(found)))


def _explanation(found: Mapping[str, Any]) -> Iterable[str]:
    route = found["route"] or "no route"
    yield f"{found['method']} {found['path']} ({route}): {found['status']}"
    if found["status"] and not 0 < found["status"] < 400 and found["response"] is not None:
        yield f"response: {json.dumps(found['response'])}"
    if found["note"]:
        yield found["note"]
    for kind in ("violations", "ignored"):
        if found[kind]:
            yield ""
            yield format_table([_violation(kind, each) for each in found[kind]])
    if not (found["violations"] or found["note"]):
        yield "The request is valid."


def _violation(kind: str, each: Mapping[str, Any]) -> dict[str, Any]:
    is_error = kind == "violations"
    names = ("expected", "actual", "suggestion", "hint") if is_error else ("actual", "hint")
    place = f"{each['location']} {each['pointer']}"
    values = {name: _cell(name, each) for name in names}
    return {"error in" if is_error else "ignored": place} | values


def _cell(name: str, violation: Mapping[str, Any]) -> Any:
    """Return a value of the request as JSON, so that its type is seen; None if there is none."""
    if name not in ("actual", "suggestion") or name not in violation:
        return violation.get(name)
    return json.dumps(violation[name], ensure_ascii=False)


@journal.command(epilog="Example: sessionary journal clear")
@control_command
def clear(client: Client) -> Output:
    """Delete all recorded calls."""
    client.journal.clear()
    return Output({"namespace": client.namespace}, "Cleared the journal")
