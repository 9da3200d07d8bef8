"""sessionary faults."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from sessionary.cli.control import DefaultCommandGroup, control_command
from sessionary.cli.output import json_option, print_json, print_result, print_rows

if TYPE_CHECKING:
    from sessionary.client import Client

_KINDS = ("status", "latency", "reset", "empty", "truncated")


@click.group(cls=DefaultCommandGroup, default="list")
def faults() -> None:
    """Arm, list and disarm faults. The calls of a server meet them if it runs with --control.

    \b
    Example:
      sessionary faults --unmatched
    """


@faults.command("list")
@click.option("--surface", help="Of one vendor only.")
@click.option("--unmatched", is_flag=True, help="Only those that no call has met.")
@json_option
@control_command
def list_faults(client: "Client", as_json: bool, surface: str | None, unmatched: bool) -> None:
    """List the faults in the order in which they were armed, spent ones too."""
    found = client.faults.list(surface, unmatched=unmatched)
    if as_json:
        print_json(found)
    else:
        print_rows([_line(each) for each in found], as_json=False, empty="No fault is armed.")


def _line(fault: Mapping[str, Any]) -> dict[str, Any]:
    is_spent = " (spent)" if fault["spent"] else ""
    return {
        "id": fault["id"],
        "surface": fault["surface"],
        "method": fault["method"] or "any",
        "route": fault["route"] or "any",
        "fault": fault["preset"] or fault["kind"],
        "status": fault["status"],
        "delay": fault["delay"],
        "times": fault["times"],
        "matched": fault["matched_count"],
        "hit": f"{fault['hit_count']}{is_spent}",
    }


@faults.command()
@click.argument("surface")
@click.argument("preset", required=False)
@click.option("--method", help="The method that it is for; any unless given.")
@click.option("--route", help="The route or path that it is for; any unless given.")
@click.option("--kind", type=click.Choice(_KINDS), help="What it does; a status unless given.")
@click.option("--status", type=int, help="The status, in the vendor's own words.")
@click.option("--message", help="What is said with it.")
@click.option("--retry-after", help="Such as 2s.")
@click.option("--delay", help="How long the answer is held back, such as 250ms.")
@click.option("--times", type=int, help="How often; until it is disarmed unless given.")
@click.option("--after", type=int, help="So many calls pass first.")
@click.option("--probability", type=float, help="From 0 to 1.")
@click.option("--seed", type=int, help="What the chances are drawn from.")
@click.option("--from", "from_", metavar="INSTANT", help="From when on, by the namespace's clock.")
@click.option("--to", metavar="INSTANT", help="Until when, by the namespace's clock.")
@json_option
@control_command
def add(surface: str, preset: str | None, client: "Client", as_json: bool, **given: Any) -> None:
    """Arm a fault of SURFACE: a PRESET (see `sessionary faults presets`), or one of your own.

    \b
    Example:
      sessionary faults add notte overloaded --times 2
      sessionary faults add galtea --route /sessions --kind latency --delay 2s
    """
    armed = client.faults.add(surface, preset, **given)
    print_result(f"fault {armed['id']} is armed", as_json, **armed)


@faults.command()
@json_option
@control_command
def presets(client: "Client", as_json: bool) -> None:
    """List what the vendors are known to answer when they cannot serve."""
    found = client.faults.presets()
    if as_json:
        print_json(found)
    else:
        rows = [(each["surface"], each["name"], each["status"]) for each in found]
        names = ("surface", "preset", "status")
        print_rows([dict(zip(names, row, strict=True)) for row in rows], as_json=False, empty="")


@faults.command()
@click.argument("fault", type=int, required=False)
@json_option
@control_command
def clear(fault: int | None, client: "Client", as_json: bool) -> None:
    """Disarm FAULT, by its number, or all.

    \b
    Example:
      sessionary faults clear 3
    """
    client.faults.clear(fault)
    said = "No fault is armed." if fault is None else f"fault {fault} is disarmed"
    print_result(said, as_json, namespace=client.namespace)
