"""Everything in the README that can be executed, executed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from sessionary.settings import DOUBLE, Settings
from sessionary.surfaces import SURFACES
from tests.processes import TIMEOUT_SECONDS, Process, running_server
from tests.sdk_environments import sdk_script

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+(?: \w+)?)\n(.*?)```", README, re.DOTALL)
ADDRESS = "127.0.0.1:8000"
SCRIPTS = Path(sys.executable).parent

PYTHON = [text for language, text in BLOCKS if language == "python"]
SHELL = [text for language, text in BLOCKS if language == "sh" and text.startswith("sessionary")]
COMMANDS = [line for text in SHELL for line in text.splitlines()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = tmp_path_factory.mktemp("readme") / "test.sqlite3"
    with running_server("--db", str(db), "--auth", "lenient") as process:
        yield process


def blocks(language: str) -> str:
    (text,) = [text for name, text in BLOCKS if name == language]
    return text


def run(script: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"} | variables
    return subprocess.run(
        ["sh", "-ec", script],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("example", PYTHON, ids=lambda text: text.split("\n")[0])
def test_a_python_example_runs_as_it_is_printed(example: str, server: Process) -> None:
    script = example.replace(f"http://{ADDRESS}", server.url)
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert told.returncode == 0, told.stderr


def test_the_pytest_example_passes_as_it_is_printed(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(blocks("python pytest"))
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "ignore"],
        cwd=tmp_path,
        env=os.environ | {"DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert told.returncode == 0, told.stdout
    assert " 3 passed" in told.stdout


def test_the_curl_lines_work_when_pasted(server: Process) -> None:
    lines = blocks("sh curl").replace(f"http://{ADDRESS}", server.url).splitlines()
    for line in lines:
        told = run(f"{line} --silent --fail-with-body")
        assert told.returncode == 0, told.stdout + told.stderr
    assert len(lines) == len(SURFACES)


def test_the_mobilecli_lines_work_when_pasted(server: Process, tmp_path: Path) -> None:
    script = blocks("sh mobilecli").replace(ADDRESS, server.url.removeprefix("http://"))
    binary = tmp_path / "mobilecli"
    binary.symlink_to(sdk_script.mobilecli())
    told = run(script, PATH=f"{tmp_path}:{os.environ['PATH']}", HOME=str(tmp_path))
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count('"status": "ok"') == 2


def test_the_sessionary_lines_work_when_pasted(tmp_path: Path) -> None:
    for line in COMMANDS:
        told = run(line, SESSIONARY_DB=str(tmp_path / "test.sqlite3"))
        assert told.returncode == 0, told.stderr
    assert len(COMMANDS) == 9


def test_the_lines_on_a_double_work_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "double.sh").write_text(blocks("sh double"))
    told = run("sessionary exec -- sh -ec '. ./double.sh'", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "timed_out" in told.stdout
    assert (tmp_path / "before.sqlite3").exists()


def test_each_default_in_which_a_double_differs_is_named() -> None:
    sentence = README.split("Where a double's defaults are others")[1].split("\n\n")[0]
    for name in DOUBLE.keys() - {"port"}:  # which only a double within a process picks itself
        assert f"`{name}`" in sentence


def test_the_lines_on_data_work_one_after_the_other(tmp_path: Path) -> None:
    made = run("sessionary keys create", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    for line in blocks("sh data").splitlines():
        told = run(line, cwd=tmp_path)
        assert told.returncode == 0, told.stderr
    assert len(list((tmp_path / "instance").glob("sessionary.sqlite3.*Z"))) == 1
    assert {each.name for each in tmp_path.glob("*.*")} == {
        "monday.sqlite3",
        "everything.jsonl",
        "new.sqlite3",
        "new.sqlite3.hold",
    }


def test_every_block_of_the_readme_is_executed_by_a_test() -> None:
    kinds = {"python", "python pytest", "sh curl", "sh mobilecli", "sh bench", "sh data"}
    kinds.add("sh double")
    kinds |= {"sh packages", "sh docker", "sh systemd", "sh completion"}  # tests/release
    kinds.add("sh watch")  # test_health
    rest = [text for language, text in BLOCKS if language not in kinds and text not in SHELL]
    assert rest == [FIRST_COMMAND + "\n", SECOND_COMMAND + "\n"]


def test_the_benchmark_command_names_what_there_is() -> None:
    """tests/test_bench.py runs it; here only the command as it is printed."""
    install, run_it = blocks("sh bench").strip().split(" && ")
    assert install.endswith(" --require-hashes -r requirements/bench.txt")
    assert run_it == ".venv/bin/python -m benchmarks"
    assert "fastapi==" in (ROOT / "requirements" / "bench.txt").read_text()


def test_the_table_of_settings_lists_each_with_its_default() -> None:
    (table,) = re.findall("<!-- settings -->\n(.*?)<!-- /settings -->", README, re.DOTALL)
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for each in fields(Settings):
        default = "none" if each.default is None else str(each.default).lower()
        rows.append(f"| `{each.name}` | {default} | {each.metadata['about']} |")
    assert table.splitlines() == rows


def test_the_table_of_differences_lists_each_with_the_vendors_value() -> None:
    section = README.split("## Where a default differs")[1].split("## What it does not do")[0]
    for each in fields(Settings):
        if each.metadata["vendor"] is not None:
            assert f"{each.metadata['vendor']}" in section
            assert f"`{each.name}`" in section


FIRST_COMMAND = (
    "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/sessionary serve"
)
SECOND_COMMAND = (
    "python3 -m venv .venv"
    " && .venv/bin/pip install --quiet --require-hashes -r requirements/test.txt"
    " && .venv/bin/pip install --quiet --no-deps --no-build-isolation --editable ."
    " && .venv/bin/python -m tests"
)


def check_out(folder: Path) -> Path:
    """A checkout of what is tracked, as it is now."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in tracked.stdout.decode().split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.long
def test_the_first_command_ends_with_a_server_and_a_curl_line_that_works(tmp_path: Path) -> None:
    """Needs a package index. The port is another one than the default, which may be taken."""
    checkout = check_out(tmp_path / "checkout")
    with subprocess.Popen(
        ["sh", "-ec", FIRST_COMMAND.replace(" .venv/bin/sessionary", " exec .venv/bin/sessionary")],
        cwd=checkout,
        env=os.environ | {"SESSIONARY_PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            assert popen.stdout is not None
            line = next(line for line in popen.stdout if line.strip().startswith("curl "))
            told = run(f"{line.strip()} --silent --fail-with-body")
            assert told.returncode == 0, told.stdout + told.stderr
            assert (checkout / "instance" / "sessionary.sqlite3").exists()
        finally:
            popen.terminate()
        assert popen.wait(TIMEOUT_SECONDS) == 0


def test_the_test_command_of_the_readme_is_what_continuous_integration_runs() -> None:
    steps = (ROOT / ".ci" / "run").read_text()
    for step in SECOND_COMMAND.split(" && "):
        assert step in steps
