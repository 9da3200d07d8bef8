"""`sessionary namespaces`, `reset` and `snapshot`."""

import sys
from pathlib import Path

import click

from sessionary.cli.control import DefaultCommandGroup, control_command
from sessionary.cli.output import NOTHING, Output
from sessionary.cli.tables import format_table
from sessionary.cli.values import INSTANT
from sessionary.client import Client, ControlError

_file = click.Path(path_type=Path, allow_dash=True)


@click.command(epilog="Example: sessionary reset --ns t42")
@control_command
def reset(client: Client) -> Output:
    """Reset a namespace to its initial state.

    Its journal is cleared. Rows, clock, faults and ids become what they were when the namespace
    was created.
    """
    found = client.namespaces.reset()
    return Output(found, f"Reset namespace {found['name']}")


@click.command(epilog="Example: sessionary snapshot before.sqlite3 --ns t42")
@click.argument("file", type=_file)
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@control_command
def snapshot(file: Path, force: bool, client: Client) -> Output:
    """Save a namespace, without its journal, to FILE.

    FILE is - for standard output. It holds the hashes of API keys, so only its owner can read it.
    """
    from sessionary import store

    if str(file) == "-":
        sys.stdout.buffer.write(client.namespaces.snapshot())
        return NOTHING
    try:
        with store.backup_target(file, None, replace=force) as draft:
            draft.write_bytes(contents := client.namespaces.snapshot())
    except store.DatabaseUnusable as error:
        raise click.ClickException(str(error)) from error
    value = {"namespace": client.namespace, "file": file, "bytes": len(contents)}
    return Output(value, f"Saved namespace {client.namespace} to {file}")


@click.group(cls=DefaultCommandGroup, default="list", epilog="Example: sessionary namespaces")
def namespaces() -> None:
    """Create, list, fork, restore and drop namespaces of a double."""


@namespaces.command("list", epilog="Example: sessionary namespaces list --json")
@control_command
def list_namespaces(client: Client) -> Output:
    """List the namespaces in the order of their creation."""
    rows = [{"namespace": name} for name in client.namespaces.list()]
    return Output(rows, format_table(rows))


@namespaces.command(epilog="Example: sessionary namespaces create t42 --now 2026-03-01T12:00:00Z")
@click.argument("name", required=False)
@click.option("--now", type=INSTANT, help="Freeze its clock here (default: a real clock).")
@click.option("--ids-seed", help="Derive its ids from this text (default: random).")
@click.option("--seed", type=_file, help="TOML file with its initial rows (default: none).")
@control_command
def create(
    name: str | None, now: str | None, ids_seed: str | None, seed: Path | None, client: Client
) -> Output:
    """Create the namespace NAME (default: generated), and print it."""
    document = None if seed is None else _read(seed)
    created = client.namespaces.create(name, now=now, ids=ids_seed, seed=document)
    return Output(created, created["name"])


def _read(seed: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(seed.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"--seed {seed} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise click.ClickException(f"--seed {seed} is nested too deeply") from error


@namespaces.command(epilog="Example: sessionary namespaces fork t43 --ns t42")
@click.argument("to", required=False)
@control_command
def fork(to: str | None, client: Client) -> Output:
    """Copy the namespace --ns to a new one, and print its name.

    The name is TO (default: generated).
    """
    created = client.namespaces.fork(to)
    return Output(created, created["name"])


@namespaces.command(epilog="Example: sessionary namespaces restore before.sqlite3 --ns t42")
@click.argument("file", type=_file)
@control_command
def restore(file: Path, client: Client) -> Output:
    """Replace the contents of --ns with the snapshot FILE.

    FILE is - for standard input. A namespace that does not exist is created.
    """
    is_file = str(file) != "-"
    content = file.read_bytes() if is_file else sys.stdin.buffer.read()
    try:
        client.namespaces.restore(content)
    except ControlError as error:
        if error.status != 400:
            raise
        name = str(file) if is_file else "standard input"
        raise click.ClickException(error.detail.replace("the file", name, 1)) from error
    text = f"Restored namespace {client.namespace} from {file}"
    return Output({"namespace": client.namespace}, text)


@namespaces.command(epilog="Example: sessionary namespaces drop t42")
@click.argument("name")
@control_command
def drop(name: str, client: Client) -> Output:
    """Delete the namespace NAME."""
    client.namespaces.drop(name)
    return Output({"namespace": name}, f"Dropped namespace {name}")
