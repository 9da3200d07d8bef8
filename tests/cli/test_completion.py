"""Shell completion, set up with the lines of the documents."""

import os
import shutil
import subprocess

import pytest

from tests.docs.documents import SCRIPTS, block
from tests.processes import COMMAND, TIMEOUT_SECONDS

SETUPS = [line.split("#")[0].strip() for line in block("sh completion").splitlines()]
SHELLS = [line.split("COMPLETE=")[1].split("_source")[0] for line in SETUPS]


def run(program: list[str], **variables: str) -> str:
    environ = os.environ | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"} | variables
    result = subprocess.run(
        program, env=environ, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def in_shell(shell: str, script: str) -> list[str]:
    """Return the words that a script prints after the documented line for this shell."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    without_files = {"bash": "--norc", "zsh": "-f", "fish": "--no-config"}[shell]
    return run([shell, without_files, "-c", script.format(SETUPS[SHELLS.index(shell)])]).split()


def test_the_readme_has_a_line_for_each_shell() -> None:
    assert SHELLS == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_for_a_shell_calls_the_command(shell: str) -> None:
    script = run([COMMAND], _SESSIONARY_COMPLETE=f"{shell}_source")
    assert f"_SESSIONARY_COMPLETE={shell}_complete" in script


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_completes_a_word_for_the_shell(shell: str) -> None:
    variables = {
        "COMP_WORDS": "sessionary clock fre",
        "COMP_CWORD": "fre" if shell == "fish" else "2",
    }
    result = run([COMMAND], _SESSIONARY_COMPLETE=f"{shell}_complete", **variables)
    assert "freeze" in result
    assert "advance" not in result


def test_bash_completes_a_command_an_option_and_its_values() -> None:
    script = """{}
    for words in 'ke' 'keys cr' 'serve --clock-r' 'serve --auth st'; do
        COMP_WORDS=(sessionary $words) COMP_CWORD=$(set -- $words; echo $#)
        COMPREPLY=()
        _sessionary_completion sessionary
        echo "${{COMPREPLY[@]}}"
    done
    complete -p sessionary >/dev/null || echo unregistered
    """
    assert in_shell("bash", script) == ["keys", "create", "--clock-rate", "strict"]


def test_zsh_registers_it_for_the_command() -> None:
    script = "autoload -Uz compinit; compinit -D; {}\nprint $_comps[sessionary]"
    assert in_shell("zsh", script) == ["_sessionary_completion"]


def test_fish_completes_a_command() -> None:
    assert in_shell("fish", "{}\ncomplete --do-complete 'sessionary ke'")[0] == "keys"
