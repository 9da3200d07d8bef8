"""`sessionary env`, understood by the shells that it writes for."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from sessionary.sdk_env import Environment
from tests.processes import COMMAND, TIMEOUT_SECONDS, clean_environment

URL = "http://127.0.0.1:4321"
VARIABLES = Environment(URL, "t42").variables()
TELL = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
SHELLS = {
    "sh": f'eval "$({COMMAND} env --url {URL} --ns t42)"; {TELL}',
    "bash": f'eval "$({COMMAND} env --url {URL} --ns t42)"; {TELL}',
    "zsh": f'eval "$({COMMAND} env --url {URL} --ns t42)"; {TELL}',
    "fish": f"{COMMAND} env --shell fish --url {URL} --ns t42 | source; {TELL}",
}


def run(*command: str, **variables: str) -> str:
    told = subprocess.run(
        command,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_evaluates_it_has_every_variable(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    found = json.loads(run(shell, "-c", SHELLS[shell]))
    assert {name: found.get(name) for name in VARIABLES} == VARIABLES


def test_every_fish_line_sets_one_variable_for_the_programs_that_follow() -> None:
    lines = run(COMMAND, "env", "--shell", "fish", "--url", URL, "--ns", "t42").splitlines()
    assert lines == [f"set -gx {name} '{value}'" for name, value in VARIABLES.items()]


def test_dotenv_lines_are_read_as_they_are() -> None:
    lines = run(COMMAND, "env", "--shell", "dotenv", "--url", URL, "--ns", "t42").splitlines()
    assert dict(line.split("=", 1) for line in lines) == VARIABLES


def test_address_and_namespace_come_from_the_environment_else_they_are_the_usual_ones() -> None:
    given = run(COMMAND, "env", SESSIONARY_URL=URL, SESSIONARY_NAMESPACE="t42")
    assert given == run(COMMAND, "env", "--url", URL, "--ns", "t42")
    assert f"SESSIONARY_URL={URL}" not in run(COMMAND, "env")
    assert "SESSIONARY_URL=http://127.0.0.1:8000\n" in run(COMMAND, "env")


@pytest.mark.parametrize(
    "wrong", [("--url", "localhost:8000"), ("--url", "http://a'b"), ("--ns", "T-42"), ("--ns", "")]
)
def test_what_would_break_a_shell_or_name_no_namespace_is_refused(wrong: tuple[str, str]) -> None:
    told = subprocess.run(
        [COMMAND, "env", *wrong],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert told.returncode == 2
    assert f"Invalid value for '{wrong[0]}'" in told.stderr


def test_it_loads_nothing_of_the_server() -> None:
    script = (
        "import sys; from sessionary.cli import main; main(['env'], standalone_mode=False);"
        "print(sorted({'flask', 'peewee', 'cheroot', 'http.client'} & set(sys.modules)))"
    )
    told = run(sys.executable, "-c", script, PATH=os.environ["PATH"])
    assert told.splitlines()[-1] == "[]"
