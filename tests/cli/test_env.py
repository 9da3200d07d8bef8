"""`sessionary env`: each shell reads its output."""

import json
import os
import shutil
import sys

import pytest

from sessionary.sdk_env import Environment
from tests.processes import COMMAND, run_command

URL = "http://127.0.0.1:4321"
VARIABLES = Environment(URL, "t42").variables()
PRINT = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
SHELLS = {
    "sh": f'eval "$({COMMAND} env --url {URL} --ns t42)"; {PRINT}',
    "bash": f'eval "$({COMMAND} env --url {URL} --ns t42)"; {PRINT}',
    "zsh": f'eval "$({COMMAND} env --url {URL} --ns t42)"; {PRINT}',
    "fish": f"{COMMAND} env --shell fish --url {URL} --ns t42 | source; {PRINT}",
}


def run(*command: str, **variables: str) -> str:
    result = run_command(*command, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_evaluates_the_output_has_every_variable(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    found = json.loads(run(shell, "-c", SHELLS[shell]))
    assert {name: found.get(name) for name in VARIABLES} == VARIABLES


def test_every_fish_line_exports_one_variable() -> None:
    lines = run(COMMAND, "env", "--shell", "fish", "--url", URL, "--ns", "t42").splitlines()
    assert lines == [f"set -gx {name} '{value}'" for name, value in VARIABLES.items()]


def test_dotenv_lines_are_name_and_value() -> None:
    lines = run(COMMAND, "env", "--shell", "dotenv", "--url", URL, "--ns", "t42").splitlines()
    assert dict(line.split("=", 1) for line in lines) == VARIABLES


def test_url_and_namespace_come_from_the_environment_or_a_default() -> None:
    given = run(COMMAND, "env", SESSIONARY_URL=URL, SESSIONARY_NAMESPACE="t42")
    assert given == run(COMMAND, "env", "--url", URL, "--ns", "t42")
    assert f"SESSIONARY_URL={URL}" not in run(COMMAND, "env")
    assert "SESSIONARY_URL=http://127.0.0.1:8000\n" in run(COMMAND, "env")


@pytest.mark.parametrize(
    "wrong", [("--url", "localhost:8000"), ("--url", "http://a'b"), ("--ns", "T-42"), ("--ns", "")]
)
def test_an_invalid_url_or_namespace_is_refused(wrong: tuple[str, str]) -> None:
    result = run_command(COMMAND, "env", *wrong)
    assert result.returncode == 2
    assert f"Invalid value for '{wrong[0]}'" in result.stderr


def test_it_imports_nothing_of_the_server() -> None:
    script = (
        "import sys; from sessionary.cli import main; main(['env'], standalone_mode=False);"
        "print(sorted({'flask', 'peewee', 'gunicorn', 'http.client'} & set(sys.modules)))"
    )
    result = run(sys.executable, "-c", script, PATH=os.environ["PATH"])
    assert result.splitlines()[-1] == "[]"
