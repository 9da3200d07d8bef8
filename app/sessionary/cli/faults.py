"""`sessionary faults`."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from sessionary.cli.control import SURFACE, DefaultCommandGroup, control_command
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table
from sessionary.cli.values import DURATION, INSTANT, ROW_ID, Number
from sessionary.client import Client

_KINDS = ("status", "latency", "reset", "empty", "truncated")
_PHASES = ("before", "after")


@click.group(cls=DefaultCommandGroup, default="list", epilog="Example: sessionary faults --json")
def faults() -> None:
    """Arm, list and disarm faults.

    A server needs --control for it.
    """


@faults.command("list", epilog="Example: sessionary faults list --surface notte")
@click.option("--surface", type=SURFACE, help="Only faults of this surface.")
@click.option("--unmatched", is_flag=True, help="Only faults that no call has matched.")
@control_command
def list_faults(client: Client, surface: str | None, unmatched: bool) -> Output:
    """List the faults in the order of arming, including spent ones."""
    found = client.faults.list(surface, unmatched=unmatched)
    table = format_table([_row(each) for each in found], "No fault is armed")
    return Output(found, "\n".join([table, *filter(None, map(_limits, found))]))


def _limits(fault: Mapping[str, Any]) -> str:
    """Say which of the calls that match are spared; empty if none are."""
    limits = [
        f"with probability {fault['probability']:g}" if fault["probability"] < 1 else "",
        f"after {fault['after']} matching calls" if fault["after"] else "",
        *(f"{name} {fault[name]}" for name in ("from", "to") if fault[name]),
    ]
    text = ", ".join(filter(None, limits))
    return f"Fault {fault['id']} hits {text}." if text else ""


def _row(fault: Mapping[str, Any]) -> dict[str, Any]:
    spent = " (spent)" if fault["spent"] else ""
    return {
        "id": fault["id"],
        "surface": fault["surface"],
        "method": fault["method"] or "any",
        "route": fault["route"] or "any",
        "fault": fault["preset"] or fault["kind"],
        "phase": fault["phase"],
        "status": fault["status"],
        "delay": fault["delay"],
        "times": fault["times"],
        "matched": fault["matched_count"],
        "hit": f"{fault['hit_count']}{spent}",
    }


@faults.command(epilog="Example: sessionary faults add notte overloaded --times 2")
@click.argument("surface", type=SURFACE, metavar="SURFACE")
@click.argument("preset", required=False)
@click.option("--method", help="Match this HTTP method (default: any).")
@click.option("--route", help="Match this route or path (default: any).")
@click.option("--kind", type=click.Choice(_KINDS), help="Effect of the fault (default: status).")
@click.option("--phase", type=click.Choice(_PHASES), help="Before or after the work of the call.")
@click.option(
    "--status",
    type=click.IntRange(400, 599),
    help="Status code to respond with, in the vendor's format.",
)
@click.option("--message", help="Message of the error response.")
@click.option("--retry-after", type=DURATION, help="Wait to ask the caller for, e.g. 2s.")
@click.option("--delay", type=DURATION, help="Delay of the response, e.g. 250ms.")
@click.option(
    "--times", type=click.IntRange(1), help="Hit this many calls (default: until disarmed)."
)
@click.option(
    "--after", type=click.IntRange(0), help="Let this many matching calls pass first (default: 0)."
)
@click.option(
    "--probability",
    type=Number(0, 1),
    help="Share of matching calls to hit (default: 1).",
)
@click.option("--seed", type=int, help="Seed of the random choice made with --probability.")
@click.option("--from", "from_", type=INSTANT, help="Start, by the namespace's clock.")
@click.option("--to", type=INSTANT, help="End, by the namespace's clock.")
@control_command
def add(surface: str, preset: str | None, client: Client, **options: Any) -> Output:
    """Arm a fault of SURFACE: a PRESET, or a custom one by options.

    `sessionary faults presets` lists the presets.
    """
    armed = client.faults.add(surface, preset, **options)
    return Output(armed, f"Armed fault {armed['id']}")


@faults.command(epilog="Example: sessionary faults presets")
@control_command
def presets(client: Client) -> Output:
    """List the presets: errors that the vendors are known to send."""
    found: Sequence[Mapping[str, Any]] = client.faults.presets()
    names = {"surface": "surface", "preset": "name", "status": "status", "source": "source"}
    rows = [{shown: each[name] for shown, name in names.items()} for each in found]
    return Output(found, format_table(rows))


@faults.command(epilog="Example: sessionary faults clear 1")
@click.argument("fault", type=ROW_ID, required=False)
@control_command
def clear(fault: int | None, client: Client) -> Output:
    """Disarm the fault with the number FAULT (default: all)."""
    client.faults.clear(fault)
    text = "Disarmed all faults" if fault is None else f"Disarmed fault {fault}"
    return Output({"namespace": client.namespace}, text)
