"""`sessionary journal`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from sessionary.cli.control import SURFACE, DefaultCommandGroup, control_command
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table
from sessionary.client import Client


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
@control_command
def list_calls(client: Client, limit: int | None, **filters: Any) -> Output:
    """List recorded calls, oldest first."""
    calls = client.journal.find(limit=limit, **filters)
    text = format_table([_row(call) for call in calls], "No recorded call matches")
    if dropped := client.journal.dropped_count():
        text += f"\nThe journal is full: it dropped the {dropped} oldest calls."
    return Output(calls, text)


def _row(call: Mapping[str, Any]) -> dict[str, Any]:
    fault = call["fault"]
    return {
        "id": call["id"],
        "at": call["at"],
        "surface": call["surface"],
        "call": f"{call['method']} {call['path']}",
        "status": call["status"],
        "session": call["session"],
        "fault": None if fault is None else f"{fault['id']} ({fault['kind']} {fault['phase']})",
    }


@journal.command(epilog="Example: sessionary journal explain 12")
@click.argument("call", type=int)
@control_command
def explain(call: int, client: Client) -> Output:
    """List every error in the call with the number CALL."""
    found = client.journal.explain(call)
    return Output(found, "\n".join(_explanation(found)))


def _explanation(found: Mapping[str, Any]) -> Iterable[str]:
    route = found["route"] or "no route"
    yield f"{found['method']} {found['path']} ({route}): {found['status']}"
    if found["status"] and found["status"] >= 400 and found["response"] is not None:
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
