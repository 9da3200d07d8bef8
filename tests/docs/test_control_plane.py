"""docs/control-plane.md: each call of the control plane has an example, and each example works."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.documents import block, blocks, run
from tests.processes import TIMEOUT_SECONDS, Process, running_double

CONTROL = "/_control/v1"
DOCUMENT = "docs/control-plane.md"
SLOW = 10 * TIMEOUT_SECONDS  # go compiles its own library first
# Makes curl print the method, the URL and the status of each call.
REPORTING_CURL = (
    "curl() { command curl --silent --show-error --write-out "
    r"'%{stderr}%{method} %{url} %{http_code}\n' "
    '"$@"; }\n'
)


class Seen(NamedTuple):
    """A call that an example made."""

    method: str
    path: str
    status: int


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double() as process:
        yield process


@pytest.fixture(scope="module")
def seen(double: Process, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What the curl examples called, one after the other."""
    script = REPORTING_CURL + "\n".join(blocks("sh curl", DOCUMENT)).replace(
        "http://127.0.0.1:8000", double.url
    )
    done = run("sh", "-ec", script, cwd=tmp_path_factory.mktemp("docs"), timeout=SLOW)
    calls = [line.split() for line in done.stderr.splitlines()]
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
    assert operations - called == {("GET", "/server")}  # a double has none
    assert len(operations) > 25


def _described_as(path: str, described: list[str]) -> str | None:
    """The path of the document that a path is one of."""
    _, _, inner = path.partition(CONTROL)
    for each in described:
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", each), inner):
            return each
    return None


def test_the_recipe_for_the_shell_works(tmp_path: Path) -> None:
    run("sessionary", "exec", "--", "sh", "-ec", block("sh cookbook"), cwd=tmp_path)


def test_the_recipe_for_node_passes(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    (tmp_path / "timeouts.test.mjs").write_text(block("js"))
    done = run("sessionary", "exec", "--", "node", "--test", cwd=tmp_path, timeout=SLOW)
    assert "# pass 1\n" in done.stdout


def test_the_recipe_for_go_passes(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not installed")
    (tmp_path / "timeouts_test.go").write_text(block("go"))
    (tmp_path / "go.mod").write_text("module timeouts\n\ngo 1.21\n")
    done = run("sessionary", "exec", "--", "go", "test", cwd=tmp_path, timeout=SLOW)
    assert "PASS\nok" in done.stdout
