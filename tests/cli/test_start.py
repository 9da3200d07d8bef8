"""The first minutes: the command alone, its help, `init`, `demo`, `status` and `console`."""

import json
import re
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sessionary import Settings
from sessionary.cli import main
from sessionary.settings import all_settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import declared_settings
from tests.cli.terminals import run_in_terminal, without_colours
from tests.cli.test_commands import commands
from tests.docs.documents import SCRIPTS, block
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    clean_environment,
    run_command,
    run_python,
    running_double,
    running_process,
)


def test_alone_it_says_what_can_be_done_now_and_shows_the_help() -> None:
    result = CliRunner().invoke(main)
    first, _, rest = result.output.partition("\n\n")
    assert result.exit_code == 0
    steps = re.findall("sessionary ([a-z]+)", first)
    assert (len(first.splitlines()), steps[:3]) == (3, ["demo", "init", "double"])
    assert rest == CliRunner().invoke(main, ["--help"]).output


def groups() -> list[tuple[str, ...]]:
    return sorted({(), *(path[:-1] for path in commands())})


@pytest.mark.parametrize("path", groups(), ids=" ".join)
def test_each_command_is_in_one_line_of_the_help_with_its_whole_summary(
    path: tuple[str, ...],
) -> None:
    shown = without_colours(run_in_terminal(*path, "--help", columns=80)).splitlines()
    group: click.Command = main
    for name in path:
        assert isinstance(group, click.Group)
        group = group.get_command(click.Context(group), name) or group
    assert isinstance(group, click.Group)
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        summary = command.get_short_help_str(200)
        assert any(re.fullmatch(f"  {name} +{re.escape(summary)}", line) for line in shown), name


def test_the_help_has_three_groups_and_imports_no_command() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    headings = re.findall("^([A-Z].*):$", text, re.MULTILINE)
    assert headings == [
        *("Options", "Run it", "Steer a double, and see what happened", "Keep a database")
    ]
    script = (
        "import sys; from sessionary.cli import main; main(['--help'], standalone_mode=False);"
        "print(sorted({'flask', 'peewee', 'marshmallow', 'http.client'} & set(sys.modules)))"
    )
    assert run_python(script).splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["serve", "double", "exec"])
def test_the_options_of_a_server_are_in_groups(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    (options,) = re.findall("^Options:\n(.*?)(?:\n\n|\\Z)", text, re.MULTILINE | re.DOTALL)
    for each in all_settings(declared_settings(SURFACES)):
        assert f"--{each.name.replace('_', '-')} " not in options
    headings = re.findall("^([A-Z].*):$", text, re.MULTILINE)
    assert {"Data", "Network", "Keys and limits", "Control plane", "Options"} <= set(headings)


def test_every_command_that_prints_a_result_has_json() -> None:
    without = {("serve",), ("double",), ("demo",), ("exec",), ("record",)}  # they run others
    for path in commands():
        command: click.Command = main
        for name in path:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name) or command
        has_json = any("--json" in each.opts for each in command.params)
        assert has_json is (path not in without), path


def test_init_writes_files_with_which_a_test_passes_and_replaces_none(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    script = f"{SCRIPTS}/{block('sh init').strip()} --json"
    written = json.loads(run_command("sh", "-c", script, cwd=tmp_path).stdout)
    assert written == {"files": ["tests/seed.toml", "tests/conftest.py"]}
    (folder / "test_it.py").write_text(
        "def test_it(sessionary):\n    assert len(sessionary.sessions()) == 4\n"
    )
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    passed = run_command(*pytest_run, cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout
    (folder / "conftest.py").write_text("mine")
    refused = run_command(COMMAND, "init", str(folder))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: {folder / 'seed.toml'} exists already: ")
    (folder / "seed.toml").unlink()
    assert run_command(COMMAND, "init", str(folder)).returncode == 1
    assert (folder / "conftest.py").read_text() == "mine"
    assert not (folder / "seed.toml").exists()
    assert run_command(COMMAND, "init", str(folder), "--force").returncode == 0
    assert (folder / "conftest.py").read_text() != "mine"


def test_the_demo_has_sessions_and_its_console_and_touches_no_database(tmp_path: Path) -> None:
    db = tmp_path / "mine.sqlite3"
    environ = clean_environment(SESSIONARY_DB=str(db), SESSIONARY_PORT="0")
    command = [COMMAND, *block("sh look").split()[1:]]
    with running_process(command, environ) as process:
        assert not process.url.endswith(":8000")
        _, page = process.request("GET", "/_control/v1/sessions")
        assert len(page["sessions"]) == 30
        found = run_command(COMMAND, "console", SESSIONARY_URL=process.url).stdout.strip()
        assert found == f"{process.url}/_control/console/"
        assert process.stop() == 0
        assert f"Console: {found}" in process.output_lines()
    assert not db.exists()


def test_status_says_what_runs_where_and_what_does_not(tmp_path: Path) -> None:
    db = str(tmp_path / "a.sqlite3")
    nothing = run_command(COMMAND, "status", SESSIONARY_URL="http://127.0.0.1:9", SESSIONARY_DB=db)
    assert nothing.returncode == 1
    assert nothing.stdout.startswith("steered    http://127.0.0.1:9 (from SESSIONARY_URL)\n")
    assert "http://127.0.0.1:9 does not answer: Connection refused" in nothing.stdout
    assert f"database   there is no database at {db}" in nothing.stdout
    run_command(COMMAND, "keys", "create", "--db", db)
    with running_double() as double:
        double.request("POST", "/session/start", {}, Authorization="Bearer sk-notte-any")
        command = (COMMAND, "status", "--json", "--url", double.url)
        found = json.loads(run_command(*command, SESSIONARY_DB=db).stdout)
        other = run_command(*command[:2], SESSIONARY_URL=f"{double.url}/elsewhere")
        assert other.returncode == 1, other.stdout
    assert (found["target"], found["source"], found["problem"]) == (double.url, "--url", None)
    assert (found["sessions"], found["open"], found["namespaces"]) == (1, 1, 1)
    assert (found["clock"]["mode"], found["role"], found["readonly"]) == ("real", "double", False)
    assert (found["database"]["file"], found["database"]["problem"]) == (db, None)
    assert found["database"]["bytes"] > 0
    of_file = json.loads(run_command(COMMAND, "status", "--json", "--db", db).stdout)
    assert (of_file["target"], of_file["sessions"]) == (db, 0)
    assert Settings.db in run_command(COMMAND, "status", cwd=tmp_path).stdout


def test_the_console_opens_in_a_browser_with_the_token_behind_the_number_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    with running_double(SESSIONARY_CONTROL_TOKEN="hush/1") as double:
        monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
        monkeypatch.setenv("SESSIONARY_CONTROL_TOKEN", "hush/1")
        command = ["console", "--open", "--url", double.url]
        printed = CliRunner().invoke(main, command).output
        assert printed == f"{double.url}/_control/console/\n"
        assert opened == [f"{double.url}/_control/console/#token=hush%2F1"]
        monkeypatch.setattr(webbrowser, "open", lambda _: False)
        refused = CliRunner().invoke(main, command)
        assert (refused.exit_code, "hush" in refused.output) == (1, False)
        assert "no browser can be opened here: open http" in refused.output
    gone = CliRunner().invoke(main, command)
    assert (gone.exit_code, "does not answer" in gone.output) == (1, True)


def test_the_journal_is_followed_until_ctrl_c() -> None:
    with running_double() as double:
        who = {"Authorization": "Bearer sk-notte-any"}
        for _ in range(12):
            double.request("GET", "/notte/sessions", **who)
        with subprocess.Popen(
            [COMMAND, "journal", "--follow", "--json", "--url", double.url],
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        ) as popen:
            assert popen.stdout is not None
            ids = [json.loads(popen.stdout.readline())["id"] for _ in range(10)]
            assert ids == list(range(3, 13))
            for number in (13, 14):
                double.request("GET", "/notte/sessions", **who)
                assert json.loads(popen.stdout.readline())["id"] == number
            double.request("DELETE", "/_control/v1/journal")
            double.request("POST", "/session/start", {}, **who)
            assert json.loads(popen.stdout.readline())["path"] == "/session/start"
            popen.send_signal(signal.SIGINT)
            assert popen.wait(TIMEOUT_SECONDS) == 130
