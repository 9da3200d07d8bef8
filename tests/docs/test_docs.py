"""Everything in docs/ that can be executed, executed; and every call of the control plane there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.processes import COMMAND, TIMEOUT_SECONDS, Process, clean_environment, running_double

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "control-plane.md").read_text()
BLOCKS = re.findall(r"```(\w+(?: \w+)?)\n(.*?)```", DOCUMENT, re.DOTALL)
CONTROL = "/_control/v1"
# Says of each call what it was and how it ended; what is quoted is as it is printed.
TELLING = (
    "curl() { command curl --silent --show-error --write-out "
    r"'%{stderr}%{method} %{url} %{http_code}\n' "
    '"$@"; }\n'
)


class Seen(NamedTuple):
    """A call that an example made."""

    method: str
    path: str
    status: int


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(PATH=path),
        capture_output=True,
        text=True,
        timeout=10 * TIMEOUT_SECONDS,  # go compiles its own library first
        check=False,
    )


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double() as process:
        yield process


@pytest.fixture(scope="module")
def seen(double: Process, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What the curl examples called, one after the other."""
    script = TELLING + "\n".join(blocks("sh curl")).replace("http://127.0.0.1:8000", double.url)
    told = run("sh", "-ec", script, cwd=tmp_path_factory.mktemp("docs"))
    assert told.returncode == 0, told.stderr
    calls = [line.split() for line in told.stderr.splitlines()]
    return [
        Seen(method, url.removeprefix(double.url).partition("?")[0], int(status))
        for method, url, status in calls
    ]


def test_every_curl_example_succeeds_but_the_one_that_is_to_be_refused(seen: list[Seen]) -> None:
    refused = [each for each in seen if each.status >= 400]
    assert refused == [Seen("POST", "/~t42/notte/session/start", 400)]


def test_every_call_of_the_control_plane_has_a_curl_example(
    seen: list[Seen], double: Process
) -> None:
    _, described = double.request("GET", f"{CONTROL}/openapi.json")
    operations = {
        (method.upper(), path)
        for path, methods in described["paths"].items()
        for method in methods
        if method in ("get", "put", "post", "delete")
    }
    paths = sorted((path for _, path in operations), key=lambda path: path.count("{"))
    called = {(each.method, _described_as(each.path, paths)) for each in seen}
    assert operations - called == set()
    assert len(operations) > 25


def _described_as(path: str, described: list[str]) -> str | None:
    """The path of the document that a path is one of."""
    _, _, inner = path.partition(CONTROL)
    for each in described:
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), inner):
            return each
    return None


def test_the_shells_recipe_works(tmp_path: Path) -> None:
    (recipe,) = blocks("sh cookbook")
    told = run(COMMAND, "exec", "--", "sh", "-ec", recipe, cwd=tmp_path)
    assert told.returncode == 0, told.stderr


def test_nodes_recipe_passes(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    (recipe,) = blocks("js")
    (tmp_path / "timeouts.test.mjs").write_text(recipe)
    told = run(COMMAND, "exec", "--", "node", "--test", cwd=tmp_path)
    assert told.returncode == 0, told.stdout
    assert "# pass 1\n" in told.stdout


def test_gos_recipe_passes(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    (recipe,) = blocks("go")
    (tmp_path / "timeouts_test.go").write_text(recipe)
    (tmp_path / "go.mod").write_text("module timeouts\n\ngo 1.21\n")
    told = run(COMMAND, "exec", "--", "go", "test", cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "PASS\nok" in told.stdout


def test_every_block_is_executed() -> None:
    assert {language for language, _ in BLOCKS} == {"sh curl", "sh cookbook", "js", "go"}
