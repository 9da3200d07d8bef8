"""Every example in the help of a command, executed."""

import re
import shlex
import shutil
import sqlite3
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from sessionary.cli import main
from sessionary.client import Client
from tests.docs.documents import ROOT
from tests.docs.generated import cli
from tests.processes import COMMAND, Process, clean_environment, run_command, running_double
from tests.processes import running_process as running
from tests.seed_rows import row

SERVERS = ("serve", "double", "demo")
# These end what other examples are about.
LAST = ("drop", "clear", "reset", "revoke", "remove", "retire", "restore", "import")
CALL = 'curl -sS "$NOTTE_API_URL/sessions" -H "Authorization: Bearer $NOTTE_API_KEY"'
DB = "instance/sessionary.sqlite3"
USER = "INSERT INTO user (id, name, identity_type) VALUES ('ana', 'Ana', 'user')"


def examples() -> list[str]:
    text = cli().replace("\\\n", "")
    found = re.findall(
        r'^ +(?:Example: )?(?:eval "\$\()?(sessionary .+?)(?:\)")?$', text, re.MULTILINE
    )
    return sorted(found, key=lambda line: any(f" {word}" in line for word in LAST))


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    seed = tmp_path_factory.mktemp("examples") / "seed.toml"
    seed.write_text(row("organizations") + row("notte.sessions"))
    with running_double("--seed", str(seed)) as process:
        yield process


@pytest.fixture
def folder(tmp_path: Path, double: Process, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the examples name; commands find the double."""
    double.request("GET", "/notte/sessions", **{"Authorization": "Bearer sk-notte-x"})
    Client(double.url).faults.add("notte", "overloaded", times=1)
    (tmp_path / "fixtures.toml").write_text(row("organizations"))
    (tmp_path / "check.py").write_text("raise SystemExit(1)")
    (tmp_path / "npm").write_text(f"#!/bin/sh\n{CALL}\n")
    (tmp_path / "npm").chmod(0o755)
    shutil.copy(ROOT / "tests/replay/traffic/notte.har", tmp_path / "traffic.har")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SESSIONARY_URL", double.url)
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    for command in (["seed", "fixtures.toml"], ["keys", "create"]):
        assert CliRunner().invoke(main, command).exit_code == 0
    with closing(sqlite3.connect(DB)) as connection, connection:
        connection.execute(USER)
    return tmp_path


def test_each_command_has_an_example_that_is_found() -> None:
    headings = set(re.findall(r"^## sessionary (.+)$", cli(), re.MULTILINE))
    found = [shlex.split(line)[1:] for line in examples()]
    shown = {" ".join(words[:count]) for words in found for count in (1, 2)}
    assert headings <= shown | {"keys", "members", "devices"}


@pytest.mark.usefixtures("folder")
def test_every_example_succeeds(double: Process) -> None:
    for example in examples():
        line = re.sub("http://127.0.0.1:800[01]", double.url, example)
        names = {"key_0a1b2c3d4e5f": _key(), "npm": "./npm", "python": sys.executable}
        words = [names.get(word, word) for word in shlex.split(line)[1:]]
        if words[0] in SERVERS:
            _check_server(re.sub("800[01]", "0", line).split()[1:])
        elif words[0] in ("exec", "record"):
            result = run_command(COMMAND, *words)
            assert result.returncode == 0, (line, result.stderr)
        else:
            invoked = CliRunner().invoke(main, words)
            assert invoked.exit_code == 0, (line, invoked.output)


def _check_server(words: list[str]) -> None:
    Path("x.toml").touch()
    with running([COMMAND, *words], clean_environment()) as process:
        assert process.stop() == 0, words


def _key() -> str:
    with closing(sqlite3.connect(DB)) as connection:
        return str(connection.execute("SELECT id FROM key ORDER BY seq DESC").fetchone()[0])
