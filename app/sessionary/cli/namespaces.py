"""sessionary namespaces, reset and snapshot."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sessionary.cli.control import DefaultCommandGroup, control_command
from sessionary.cli.output import json_option, print_result, print_rows

if TYPE_CHECKING:
    from sessionary.client import Client

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@json_option
@control_command
def reset(client: "Client", as_json: bool) -> None:
    """Make a namespace what a new one is.

    Its rows, its clock, its faults and its ids; the journal is emptied.

    \b
    Example:
      sessionary reset --ns t42
    """
    found = client.namespaces.reset()
    print_result(f"{found['name']} is as a new one", as_json, **found)


@click.command()
@click.argument("file", type=_file)
@json_option
@control_command
def snapshot(file: Path, client: "Client", as_json: bool) -> None:
    """Keep a namespace as FILE: all but its journal.

    \b
    Example:
      sessionary snapshot before.sqlite3 --ns t42
    """
    contents = client.namespaces.snapshot()
    file.write_bytes(contents)
    said = f"{client.namespace} is kept in {file}"
    print_result(said, as_json, namespace=client.namespace, file=str(file), bytes=len(contents))


@click.group(cls=DefaultCommandGroup, default="list")
def namespaces() -> None:
    """Make, list, copy and drop namespaces.

    \b
    Example:
      sessionary namespaces
      sessionary namespaces create t42 --now 2026-03-01T12:00:00Z
    """


@namespaces.command("list")
@json_option
@control_command
def list_namespaces(client: "Client", as_json: bool) -> None:
    """List the namespaces, in the order in which they were made."""
    names = client.namespaces.list()
    print_rows([{"namespace": name} for name in names], as_json=as_json, empty="")


@namespaces.command()
@click.argument("name", required=False)
@click.option("--now", metavar="INSTANT", help="Where its clock is to stand.")
@click.option("--seed", type=_file, help="A TOML file of what it is to hold.")
@json_option
@control_command
def create(
    name: str | None, now: str | None, seed: Path | None, client: "Client", as_json: bool
) -> None:
    """Make a namespace NAME; one is made up unless given.

    \b
    Example:
      sessionary namespaces create t42 --seed fixtures.toml
    """
    content = None if seed is None else _read(seed)
    made = client.namespaces.create(name, now=now, seed=content)
    print_result(made["name"], as_json, **made)


def _read(seed: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(seed.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{seed} is not TOML: {error}") from error
    except RecursionError as error:
        raise click.ClickException(f"{seed} is nested too deep to be read") from error


@namespaces.command()
@click.argument("to", required=False)
@json_option
@control_command
def fork(to: str | None, client: "Client", as_json: bool) -> None:
    """Copy the namespace --ns into a new one, TO; a name is made up unless given.

    \b
    Example:
      sessionary namespaces fork t43 --ns t42
    """
    made = client.namespaces.fork(to)
    print_result(made["name"], as_json, **made)


@namespaces.command()
@click.argument("file", type=_file)
@json_option
@control_command
def restore(file: Path, client: "Client", as_json: bool) -> None:
    """Give the namespace --ns what the snapshot FILE holds; it is made if there is none.

    \b
    Example:
      sessionary namespaces restore before.sqlite3 --ns t42
    """
    client.namespaces.restore(file.read_bytes())
    print_result(f"{client.namespace} is as in {file}", as_json, namespace=client.namespace)


@namespaces.command()
@click.argument("name")
@json_option
@control_command
def drop(name: str, client: "Client", as_json: bool) -> None:
    """Close the namespace NAME and forget it.

    \b
    Example:
      sessionary namespaces drop t42
    """
    client.namespaces.drop(name)
    print_result(f"{name} is dropped", as_json, namespace=name)
