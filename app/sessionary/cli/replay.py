"""`sessionary replay` and `sessionary shrink`."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sessionary.cli.output import Output, error_text, json_option, print_output

if TYPE_CHECKING:
    from sessionary.client import Client
    from sessionary.replay import Run

_file = click.argument("file", type=click.Path(path_type=Path))


@contextmanager
def _clean_errors() -> Iterator[None]:
    from sessionary.client import ControlError
    from sessionary.replay import BadRun, NotFailing, NotPlayed
    from sessionary.settings import BadSetting

    try:
        yield
    except (BadRun, NotFailing, NotPlayed, BadSetting, ControlError, OSError) as error:
        raise click.ClickException(error_text(error)) from error


@click.command(epilog="Example: sessionary replay run.jsonl")
@_file
@click.option("--url", help="The double to use (default: a new one).")
@json_option
def replay(file: Path, url: str | None, as_json: bool) -> None:
    """Do the run in FILE again, and compare answers byte by byte.

    Exits with 1 if an answer differs, and names the first: its call, and the JSON path. The run
    gets a namespace of its own, which is dropped at the end; its clock is frozen at the instant of
    each call.
    """
    with _clean_errors():
        difference, count = _replay(file, url)
    same = f"{_calls(count)} of {file} again: all answers are the same"
    output = Output(
        {"calls": count, "difference": difference}, difference or same, int(bool(difference))
    )
    print_output(output, as_json)


def _replay(file: Path, url: str | None) -> tuple[str | None, int]:
    from contextlib import nullcontext

    from sessionary.client import Client
    from sessionary.replay import (
        BadRun,
        first_difference,
        other_settings,
        play,
        read,
        running_double,
    )

    run = read(file)
    if not run.calls:
        raise BadRun(f"{file} has no call that could be made again: was it cut off?")
    token = os.environ.get("SESSIONARY_CONTROL_TOKEN") or None
    with running_double(run) if url is None else nullcontext(Client(url, token=token)) as client:
        difference = first_difference(run, play(run, client))
        if difference is not None and url is not None:
            difference = "; ".join([difference, *other_settings(run, client)])
        return difference, len(run.calls)


@click.command(
    epilog="Example: sessionary shrink run.jsonl -- python check.py",
)
@_file
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The file of the smaller run (default: FILE with the ending .shrunk.jsonl).",
)
@json_option
def shrink(file: Path, command: tuple[str, ...], output: Path | None, as_json: bool) -> None:
    """Reduce the run in FILE to the calls after which COMMAND fails.

    For each candidate, its calls are made in a new namespace. COMMAND then runs with the variables
    of `sessionary env` for that namespace, and with SESSIONARY_RUN, a file of the candidate with
    its answers. It fails by any exit code but 0.
    """
    with _clean_errors():
        target, before, after = _shrink(file, output, command)
    text = f"The run still fails with {after} of its {before} calls: {target}"
    print_output(Output({"calls": after, "of": before, "file": target}, text), as_json)


def _shrink(file: Path, output: Path | None, command: tuple[str, ...]) -> tuple[Path, int, int]:
    from tempfile import TemporaryDirectory

    from sessionary.replay import read, shrink

    run = read(file)
    with TemporaryDirectory() as folder:
        small = shrink(run, _make_predicate(Path(folder, "run.jsonl"), command))
    target = output or file.with_suffix(".shrunk.jsonl")
    small.write(target)
    return target, len(run.calls), len(small.calls)


def _make_predicate(path: Path, command: tuple[str, ...]) -> "Callable[[Client, Run], bool]":
    from sessionary.sdk_env import Environment

    def fails(client: "Client", played: "Run") -> bool:
        played.write(path)
        variables = Environment(client.url, client.namespace).variables()
        environ = {**os.environ, **variables, "SESSIONARY_RUN": str(path)}
        return subprocess.run(command, env=environ, check=False).returncode != 0  # noqa: S603 - the user's

    return fails


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"
