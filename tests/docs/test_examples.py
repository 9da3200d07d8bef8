"""Every example in the documents, executed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionary.settings import DOUBLE
from sessionary.surfaces import SURFACES, mobilenext
from tests.credentials import make_credentials
from tests.docs.documents import ADDRESS, BLOCKS, ROOT, Block, block, blocks, run, run_script
from tests.processes import TIMEOUT_SECONDS, Process, running_double, running_server
from tests.sdk_environments import sdk_script

# Where each kind of block is executed.
PLACES = {
    "test_a_python_example_runs": "python",
    "test_a_pytest_example_passes": "python pytest",
    "test_readme.py": "python demo, text demo, sh serve, sh test, sh install",
    "not code": "text",
    "test_the_curl_lines_of_the_readme_work, test_control_plane.py": "sh curl",
    "test_the_commands_on_a_database_work": "sh keys, sh seed, sh clock",
    "test_the_lines_on_a_double_work_in_order": "sh start, sh double",
    "test_a_read_as_of_tomorrow_shows_the_timeout": "sh as-of",
    "test_the_lines_on_faults_work_in_order": "sh faults",
    "test_a_recording_is_verified_as_printed": "sh verify",
    "test_the_mobilecli_lines_work": "sh mobilecli",
    "test_the_lines_with_the_driver_work": "js driver",
    "test_the_configuration_of_mobile_mcp_has_its_version_and_variables": "json mcp",
    "test_the_lines_on_data_work_in_order": "sh data",
    "test_the_benchmark_command_names_what_exists": "sh bench",
    "test_the_commands_for_other_versions_end_with_the_checks": "sh newest, sh oldest",
    "tests/release": "sh packages, sh docker, sh systemd",
    "tests/cli/test_completion.py": "sh completion",
    "tests/cli/test_start.py": "sh look, sh init",
    "tests/factory/test_health_middleware.py": "sh watch",
    "test_control_plane.py": "sh cookbook, js, go",
}
EXECUTED = {kind for kinds in PLACES.values() for kind in kinds.split(", ")}


def name(example: Block) -> str:
    return f"{example.document}: {example.text.splitlines()[0]}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = tmp_path_factory.mktemp("examples") / "test.sqlite3"
    with running_server("--db", str(db), "--auth", "lenient") as process:
        yield process


def test_every_block_is_of_a_kind_that_is_executed() -> None:
    assert {each.kind for each in BLOCKS} - {"python new-vendor"} == EXECUTED


@pytest.mark.parametrize("example", [each for each in BLOCKS if each.kind == "python"], ids=name)
def test_a_python_example_runs(example: Block, server: Process, tmp_path: Path) -> None:
    text = example.text.replace(f"http://{ADDRESS}", server.url)
    run("python", "-c", text, cwd=tmp_path)  # an example may write files


@pytest.mark.parametrize(
    "example", [each for each in BLOCKS if each.kind == "python pytest"], ids=name
)
def test_a_pytest_example_passes(example: Block, tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(example.text)
    command = ["python", "-m", "pytest", "-p", "no:cacheprovider", "-W", "ignore"]
    # It imports an SDK, which takes most of the usual limit on a busy machine.
    assert " passed" in run(*command, cwd=tmp_path, timeout=4 * TIMEOUT_SECONDS).stdout


def test_the_curl_lines_of_the_readme_work(server: Process) -> None:
    lines = block("sh curl", "README.md").replace(f"http://{ADDRESS}", server.url).splitlines()
    for line in lines:
        run_script(f"{line} --silent --fail-with-body")
    assert len(lines) == len(SURFACES)


def test_a_read_as_of_tomorrow_shows_the_timeout(server: Process) -> None:
    script = block("sh as-of").replace(f"http://{ADDRESS}", server.url)
    assert '"timed_out"' in run_script(script)


def test_the_mobilecli_lines_work(server: Process, tmp_path: Path) -> None:
    script = block("sh mobilecli").replace(ADDRESS, server.url.removeprefix("http://"))
    (tmp_path / "mobilecli").symlink_to(sdk_script.mobilecli())
    path = f"{tmp_path}:/usr/bin:/bin"
    printed = run_script(script, tmp_path, PATH=path, HOME=str(tmp_path))
    assert printed.count('"status": "ok"') == len(script.splitlines()) - 1
    assert (tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")


def test_the_lines_with_the_driver_work(tmp_path: Path) -> None:
    credentials, script = make_credentials(tmp_path), tmp_path / "driver.mjs"
    options = ("--db", str(tmp_path / "test.sqlite3"), "--auth", "lenient")
    with running_server(*options, *credentials.options()) as server:
        text = block("js driver").replace(ADDRESS, server.url.removeprefix("https://"))
        script.write_text(f"{text}\nconsole.log(JSON.stringify(device.deviceId))\n")
        trust = {"NODE_EXTRA_CA_CERTS": credentials.authority}
        assert sdk_script.run_node(script, env=trust) == "emulator-5554"


def test_the_configuration_of_mobile_mcp_has_its_version_and_variables() -> None:
    server = json.loads(block("json mcp"))["mcpServers"]["mobile"]
    locked = json.loads((ROOT / "tests/sdk_environments/package.json").read_text())["dependencies"]
    name, _, version = server["args"][-1].rpartition("@")
    assert version == locked[name]
    sdk = mobilenext.sdk
    assert server["env"] == sdk.variables(sdk.access(f"http://{ADDRESS}", key="anything"))


def test_the_commands_on_a_database_work(tmp_path: Path) -> None:
    for kind in ("sh keys", "sh seed", "sh clock"):
        run_script(block(kind), SESSIONARY_DB=str(tmp_path / "test.sqlite3"))


def test_the_lines_on_a_double_work_in_order(tmp_path: Path) -> None:
    (tmp_path / "double.sh").write_text(block("sh double"))
    start = block("sh start").strip()
    printed = run_script(f"{start.replace('double', 'exec')} -- sh -ec '. ./double.sh'", tmp_path)
    assert "timed_out" in printed
    assert (tmp_path / "before.sqlite3").exists()


def test_the_lines_on_faults_work_in_order() -> None:
    with running_double() as double:
        run_script(block("sh faults"), SESSIONARY_URL=double.url)


def test_a_recording_is_verified_as_printed(tmp_path: Path) -> None:
    recording = ROOT / "tests" / "replay" / "traffic" / "notte.har"
    (tmp_path / "traffic.har").write_text(recording.read_text())
    printed = run_script(block("sh verify"), cwd=tmp_path)
    (shown,) = [each for each in blocks("text", "docs/testing.md") if each.startswith("notte: ")]
    assert printed.startswith(shown)


def test_the_lines_on_data_work_in_order(tmp_path: Path) -> None:
    run_script("sessionary keys create", cwd=tmp_path)
    run_script(block("sh data"), cwd=tmp_path)
    kept = list((tmp_path / "instance").glob("sessionary.sqlite3.*Z"))
    assert len(kept) == 1
    made = {"monday.sqlite3", "everything.jsonl", "new.sqlite3", "new.sqlite3.hold"}
    assert {each.name for each in tmp_path.glob("*.*")} == made


def test_each_default_in_which_a_double_differs_is_named() -> None:
    text = (ROOT / "docs" / "testing.md").read_text()
    sentence = text.split("The defaults of a double differ")[1].split("\n\n")[0]
    for setting in DOUBLE.keys() - {"port"}:  # only a double within a process picks its own
        assert f"`{setting}`" in sentence


def test_the_benchmark_command_names_what_exists() -> None:
    """tests/benchmarks runs it; here only the command as it is printed."""
    *_, install, run_it = block("sh bench").strip().split(" && ")
    assert (ROOT / install.split()[-1]).is_file()
    assert run_it == ".venv/bin/python -m benchmarks"


def test_the_commands_for_other_versions_end_with_the_checks() -> None:
    for kind in ("sh newest", "sh oldest"):
        assert block(kind, "CONTRIBUTING.md").strip().endswith("/bin/python -m tests")
    (lock,) = [each for each in block("sh oldest").split() if each.startswith("requirements/")]
    assert (ROOT / lock).is_file()


def test_both_start_commands_are_the_same() -> None:
    assert len(set(blocks("sh serve"))) == 1
