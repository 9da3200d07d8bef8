"""Run a client's conversation in its environment against a double, and show the results."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.processes import running_double
from tests.sdk_environments import sdk_script
from tests.sdk_environments.environments import HERE, PreparationError, prepare
from tests.sdk_matrix.clients import CONVERSATIONS, Client

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGIN, END = "<!-- matrix: begin -->\n", "<!-- matrix: end -->\n"
WORKS = "works"


class Result(NamedTuple):
    """What a client did: its calls are empty if it failed."""

    client: str
    version: str
    month: str
    calls: str
    result: str


def converse(client: Client) -> Result:
    """Install the client if it is not there, and run its conversation."""
    try:
        prepare(client.environment)
        calls, result = talk(client), WORKS
    except (PreparationError, OSError) as error:
        calls, result = "", f"not installed: {error}"
    except (pytest.fail.Exception, pytest.skip.Exception, AssertionError) as error:
        calls, result = "", f"fails: {reason(str(error))}"
    except LookupError:
        calls, result = "", "fails: its conversation printed no calls"
    return Result(client.name, client.version, client.month, calls, result)


def talk(client: Client) -> str:
    """Run the conversation; return the names of its calls or raise pytest's Failed."""
    conversation = CONVERSATIONS[client.name]
    folder = client.environment.folder
    guard = (HERE / "loopback_only.mjs").as_uri()
    with running_double() as double:
        names = {
            "url": double.url,
            "socket": double.url.replace("http", "ws", 1),
            "guard": guard,
            "program": str(folder / (client.program or "bin/python")),
        }
        arguments = tuple(text.format_map(names) for text in conversation.arguments)
        env = {name: text.format_map(names) for name, text in conversation.variables.items()}
        if conversation.path.suffix == ".mjs":
            return str(sdk_script.run_node(conversation.path, *arguments, env=env)["calls"])
        python = names["program"] if client.program is None else sys.executable
        if client.program:
            arguments = (names["program"], *arguments)
        command = sdk_script.guarded(python, conversation.path, arguments)
        return str(sdk_script.run_command(conversation.path, command, env=env)["calls"])


def reason(text: str) -> str:
    """Return the last line that names an error, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Refused)\b", line)]
    return (errors or lines or ["it said nothing"])[-1]


def table(results: Iterable[Result]) -> str:
    """Return the results as a table in Markdown."""
    rows = [Result("client", "version", "month", "calls", "result"), *results]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|---" * len(Result._fields) + "|")
    return "\n".join(lines) + "\n"


def with_table(document: str, results: Iterable[Result]) -> str:
    """Return the document with these results between its markers."""
    before, rest = document.split(BEGIN)
    return before + BEGIN + table(results) + END + rest.split(END)[1]
