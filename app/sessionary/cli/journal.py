"""sessionary journal."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from sessionary.cli.control import DefaultCommandGroup, control_command
from sessionary.cli.output import format_table, json_option, print_json, print_result, print_rows

if TYPE_CHECKING:
    from sessionary.client import Client


@click.group(cls=DefaultCommandGroup, default="list")
def journal() -> None:
    """List the calls that were made; explain one. A server keeps them if it runs with --journal.

    \b
    Example:
      sessionary journal --method POST --status 4xx
    """


@journal.command("list")
@click.option("--method", help="Calls of this method only.")
@click.option("--path", help="Of this route (/sessions/{id}) or path only.")
@click.option("--surface", help="Of one vendor only.")
@click.option("--session", help="About this session only.")
@click.option("--status", help="Answered so only: 404, or 4xx.")
@click.option("--limit", type=click.IntRange(1), help="How many at most; all unless given.")
@json_option
@control_command
def list_calls(client: "Client", as_json: bool, limit: int | None, **filters: Any) -> None:
    """List the calls, in order."""
    calls = client.journal.find(limit=limit, **filters)
    if as_json:
        print_json(calls)
        return
    print_rows([_line(call) for call in calls], as_json=False, empty="No such call was made.")
    dropped = client.journal.dropped_count()
    if dropped:
        click.echo(f"The {dropped} oldest calls are kept no more.")


def _line(call: Mapping[str, Any]) -> dict[str, Any]:
    fault = call["fault"]
    return {
        "id": call["id"],
        "at": call["at"],
        "surface": call["surface"],
        "call": f"{call['method']} {call['path']}",
        "status": call["status"],
        "session": call["session"],
        "fault": None if fault is None else f"{fault['id']} ({fault['kind']})",
    }


@journal.command()
@click.argument("call", type=int)
@json_option
@control_command
def explain(call: int, client: "Client", as_json: bool) -> None:
    """Say everything that was wrong with CALL, by its number in the journal.

    \b
    Example:
      sessionary journal explain 12
    """
    found = client.journal.explain(call)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(_explanation(found)))


def _explanation(found: Mapping[str, Any]) -> Iterable[str]:
    route = found["route"] or "no route"
    yield f"{found['method']} {found['path']} ({route}): {found['status']}"
    if found["note"]:
        yield found["note"]
    for kind in ("violations", "ignored"):
        if found[kind]:
            yield ""
            yield format_table([_place(kind, each) for each in found[kind]])
    if not found["violations"]:
        yield "Nothing is wrong with it."


def _place(kind: str, each: Mapping[str, Any]) -> dict[str, Any]:
    is_wrong = kind == "violations"
    names = ("expected", "actual", "suggestion", "hint") if is_wrong else ("actual", "hint")
    place = f"{each['location']} {each['pointer']}"
    return {"wrong" if is_wrong else "ignored": place} | {name: each.get(name) for name in names}


@journal.command()
@json_option
@control_command
def clear(client: "Client", as_json: bool) -> None:
    """Forget every call."""
    client.journal.clear()
    print_result("The journal is empty.", as_json, namespace=client.namespace)
