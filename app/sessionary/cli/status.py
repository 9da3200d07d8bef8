"""`sessionary status`."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sessionary.cli import control
from sessionary.cli.output import Output, json_option, print_output
from sessionary.settings import Settings

if TYPE_CHECKING:
    from sessionary.client import Client

_SOURCES = {ParameterSource.COMMANDLINE: "--url", ParameterSource.ENVIRONMENT: "SESSIONARY_URL"}


@click.command(epilog="Example: sessionary status --json")
@control.database_option
@control.namespace_option
@control.url_option
@json_option
def status(url: str, ns: str, db: str | None, as_json: bool) -> None:
    """Show what runs where: server, clock, sessions and database.

    The first lines are about the server or file that commands use which steer, the last one is
    about the file that commands use which keep a database. Exits with 1 if the server does not
    answer or refuses the token.
    """
    target = db if db is not None and control.is_file_used() else url
    source = click.get_current_context().get_parameter_source("url")
    value = {
        "target": target,
        "source": "--db or SESSIONARY_DB" if target == db else _SOURCES.get(source, "the default"),  # type: ignore[arg-type]
        "namespace": ns,
        **_target(url, ns, db),
        "database": _database(db or os.environ.get("SESSIONARY_DB") or Settings.db),
    }
    print_output(Output(value, "\n".join(_lines(value)), int(bool(value["problem"]))), as_json)


def _target(url: str, ns: str, db: str | None) -> dict[str, Any]:
    """Return the facts of the server or file, or why there are none."""
    try:
        with control.control_errors(), control.open_client(url, ns, db) as client:
            return {"problem": None, **_facts(client)}
    except click.ClickException as error:
        if db is not None and control.is_file_used():
            raise
        return {"problem": error.message}


def _facts(client: "Client") -> dict[str, Any]:
    found = client.api.request(dict[str, Any], "GET", "changes")
    return {name: value for name, value in found.items() if name != "number"}


def _database(db: str) -> dict[str, Any]:
    from sessionary.cli.database import error_context
    from sessionary.factory import SCHEMA
    from sessionary.store import file_version

    facts: dict[str, Any] = {"file": db, "problem": None, "bytes": None, "schema_version": None}
    try:
        with error_context(db):
            facts["schema_version"] = file_version(Path(db), SCHEMA)
            facts["bytes"] = Path(db).stat().st_size
    except click.ClickException as error:
        facts["problem"] = error.message
    return facts


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    yield f"steered    {value['target']} (from {value['source']})"
    if value["problem"]:
        yield f"           {value['problem']}"
    else:
        clock, role = value["clock"], value["role"]
        if value["target"] != value["database"]["file"]:
            yield f"           a {role}{', read-only' if value['readonly'] else ''}"
        yield f"namespace  {value['namespace']}, one of {value['namespaces']}"
        yield f"clock      {clock['mode']}, {clock['now']}"
        yield f"sessions   {value['sessions']}, {value['open']} of them open"
        yield f"recorded   {value['calls']} calls; {value['faults']} faults are armed"
    database = value["database"]
    facts = f"{database['bytes']} bytes, schema version {database['schema_version']}"
    yield f"database   {database['problem'] or '{file}: '.format(**database) + facts}"
