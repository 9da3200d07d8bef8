"""The packages, built, then used without a Python environment and without a PATH.

Building needs a package index and half a minute, so these tests are long.
"""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sessionary import __version__
from sessionary.surfaces import SURFACES
from tests.cli.test_commands import commands
from tests.docs.documents import SCRIPTS, block, check_out
from tests.processes import TIMEOUT_SECONDS, Process, running_process

pytestmark = pytest.mark.long

WHO = {"Authorization": "Bearer gsk_anyone", "x-api-key": "gsk_anyone"}
MOB = {"Authorization": "Bearer mob_anyone"}
# How to create a session: path, body, headers; and the path to read it.
SESSIONS: dict[str, tuple[str, Any, dict[str, str], str]] = {
    "scale": (
        "/v4/sessions",
        {"title": "t", "state": {}, "account_id": "a"},
        WHO,
        "/v4/sessions/{id}",
    ),
    "mobilenext": ("/api/v1/sessions", None, MOB, "/api/v1/sessions/{id}/devices"),
    "notte": ("/sessions/start", {}, WHO, "/notte/sessions/{session_id}"),
    "galtea": ("/sessions", {"versionId": "version-1"}, WHO, "/sessions/{id}"),
}


@dataclass
class Package:
    """A built file in a home folder of its own, and how to start it."""

    file: Path
    interpreter: list[str]
    home: Path

    @property
    def temporary(self) -> Path:
        return self.home / "tmp"

    def environ(self, **variables: str) -> dict[str, str]:
        return {"PATH": "", "TMPDIR": str(self.temporary), **variables}

    def command(self, *arguments: str) -> list[str]:
        return [*self.interpreter, str(self.file), *arguments]

    def run(self, *arguments: str, **variables: str) -> str:
        """Run a command, which must succeed; return its output."""
        ended = subprocess.run(
            self.command(*arguments),
            cwd=self.home,
            env=self.environ(**variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def serving(self, db: str = "namespace", **variables: str) -> AbstractContextManager[Process]:
        """Serve leniently on a free port with two workers."""
        path = self.home / f"{db}.sqlite3"
        arguments = ("--port", "0", "--workers", "2", "--auth", "lenient", "--db", str(path))
        return running_process(self.command("serve", *arguments), self.environ(**variables))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both files, built by the documented commands."""
    checkout = check_out(tmp_path_factory.mktemp("checkout"))
    environ = os.environ | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    script = ["sh", "-ec", block("sh packages")]
    ended = subprocess.run(script, cwd=checkout, env=environ, capture_output=True, check=True)
    assert ended.stdout.decode().count(f"version {__version__}\n") == 2
    dist = checkout / "dist"
    return {"one file": dist / "sessionary", "pyz": dist / "sessionary.pyz"}


@pytest.fixture(params=["one file", "pyz"])
def package(request: pytest.FixtureRequest, built: dict[str, Path], tmp_path: Path) -> Package:
    """Each of the packages: a hard link, for tests that replace the file."""
    file = tmp_path / "sessionary"
    file.hardlink_to(built[request.param])
    (tmp_path / "tmp").mkdir()
    bare_python = [getattr(sys, "_base_executable", sys.executable), "-I", "-S"]
    return Package(file, [] if request.param == "one file" else bare_python, tmp_path)


def descendants(pid: int) -> list[int]:
    """Descendants of a process, the youngest first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, children) for each in (*descendants(child), child)]


def both_workers(package: Package, server: Process) -> list[int]:
    """Wait for its two workers; the second starts shortly after the server listens."""
    for _ in range(1000):
        found = descendants(server.popen.pid)
        workers = found if package.interpreter else found[:-1]
        if len(workers) == 2:
            return workers
        server.request("GET", "/health")
    raise AssertionError(found)


def kill(*pids: int, with_them: Sequence[int] = ()) -> None:
    """Kill processes; wait until they, and those in `with_them`, have exited."""
    handles = [os.pidfd_open(pid) for pid in (*pids, *with_them)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for handle in handles:
        assert select.select([handle], [], [], TIMEOUT_SECONDS)[0]
        os.close(handle)


def create_on_every_surface(server: Process) -> list[tuple[str, dict[str, str]]]:
    """Create a session of each vendor; return the path and headers to read each."""
    made = []
    for path, body, headers, reading in SESSIONS.values():
        status, session = server.request("POST", path, body, **headers)
        assert status in {200, 201}, session
        made.append((reading.format(**session), headers))
    return made


def statuses(server: Process, made: list[tuple[str, dict[str, str]]]) -> set[int]:
    return {server.request("GET", path, **headers)[0] for path, headers in made}


def test_it_serves_every_surface_with_two_workers(package: Package) -> None:
    with package.serving() as server:
        assert set(SESSIONS) == {surface.name for surface in SURFACES}
        assert statuses(server, create_on_every_surface(server)) == {200}
        assert both_workers(package, server)
        for surface in SURFACES:
            assert server.request("GET", f"/{surface.name}/openapi.json")[1]["openapi"] == "3.1.0"


def test_sigterm_stops_it_with_0_and_removes_what_was_unpacked(package: Package) -> None:
    with package.serving() as server:
        create_on_every_surface(server)
        assert server.stop() == 0
    assert list(package.temporary.iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_stops_it_with_0(package: Package, sent: signal.Signals) -> None:
    """As a terminal sends Ctrl-C, and systemd its SIGTERM."""
    with package.serving() as server:
        os.killpg(server.popen.pid, sent)
        assert server.popen.wait(TIMEOUT_SECONDS) == 0
    assert list(package.temporary.iterdir()) == []


def test_a_child_process_has_the_original_environment(package: Package) -> None:
    shell = ["exec", "--", "/bin/sh", "-c", 'echo "$LD_LIBRARY_PATH"; /usr/bin/env']
    for libraries in ({}, {"LD_LIBRARY_PATH": "/of/mine"}):
        first, *rest = package.run(*shell, **libraries).splitlines()
        assert first == libraries.get("LD_LIBRARY_PATH", "")
        assert not [line for line in rest if line.startswith("_PYI_") or "_MEI" in line]


@pytest.mark.parametrize("package", ["one file"], indirect=True)
def test_a_nested_start_unpacks_its_own_copy(package: Package) -> None:
    nested = f'"{package.file}" exec -- /bin/true; "{package.file}" --version'
    ended = package.run("exec", "--", "/bin/sh", "-c", nested)
    assert ended == f"sessionary, version {__version__}\n"
    assert list(package.temporary.iterdir()) == []


def test_after_all_its_processes_are_killed_it_restarts_with_all_data(package: Package) -> None:
    with package.serving() as server:
        made = [each for _ in range(5) for each in create_on_every_surface(server)]
        kill(server.popen.pid, *reversed(descendants(server.popen.pid)))
    with package.serving() as server:
        assert statuses(server, made) == {200}
        assert statuses(server, create_on_every_surface(server)) == {200}
        assert server.stop() == 0


@pytest.mark.parametrize("package", ["one file"], indirect=True)
def test_the_server_stops_with_the_process_that_unpacked_it(package: Package) -> None:
    """Killing that process alone must not leave a server running."""
    with package.serving() as server:
        made = create_on_every_surface(server)
        kill(server.popen.pid, with_them=descendants(server.popen.pid))
        with pytest.raises(ConnectionRefusedError):
            server.request("GET", "/health")
    assert list(package.temporary.iterdir()) == []
    with package.serving() as server:
        assert statuses(server, made) == {200}


def test_two_run_at_once_and_stop_independently(package: Package) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(package.serving(name)) for name in ("one", "two"))
        made = create_on_every_surface(first)
        assert statuses(second, made) == {404}
        assert first.stop() == 0
        assert statuses(second, create_on_every_surface(second)) == {200}
        assert second.request("GET", "/openapi.json")[0] == 200
        assert second.stop() == 0


def test_two_on_one_database_see_each_others_sessions(package: Package) -> None:
    with package.serving() as first, package.serving() as second:
        assert statuses(second, create_on_every_surface(first)) == {200}
        assert statuses(first, create_on_every_surface(second)) == {200}


def test_it_keeps_serving_after_its_file_is_replaced(package: Package) -> None:
    """Late imports and new workers come from the file that was started."""
    with package.serving() as server:
        replacement = package.home / "new"
        replacement.write_text("another version\n")
        replacement.replace(package.file)
        assert server.request("GET", "/openapi.json")[1]["openapi"] == "3.1.0"
        kill(*both_workers(package, server))
        assert statuses(server, create_on_every_surface(server)) == {200}
        assert server.request("GET", "/scale/openapi.json")[1]["openapi"] == "3.1.0"
        assert server.stop() == 0


def test_it_notifies_systemd_when_it_listens(package: Package) -> None:
    address = package.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(TIMEOUT_SECONDS)
        manager.bind(str(address))
        with package.serving(NOTIFY_SOCKET=str(address)):
            assert b"READY=1" in manager.recv(1024).split(b"\n")


def test_it_prints_its_version(package: Package) -> None:
    assert package.run("--version") == f"sessionary, version {__version__}\n"


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_is_in_it(package: Package, path: tuple[str, ...]) -> None:
    assert "Usage:" in package.run(*path, "--help")


def test_commands_work_on_a_local_database(package: Package) -> None:
    run: Callable[..., str] = package.run
    assert "notte" in run("keys", "create", "--surface", "notte")
    device = ("--serial", "p", "--platform", "android", "--type", "real", "--version", "16")
    run("devices", "add", *device, "--name", "größer")
    assert "größer" in run("devices", "list")
    db = str(package.home / "instance" / "sessionary.sqlite3")
    run("clock", "freeze", "2026-03-01T12:00:00Z", "--db", db)
    assert "2026-03-01T12:00:00" in run("clock", "show", "--db", db)


def test_it_completes_in_a_shell(package: Package) -> None:
    variables = {"COMP_WORDS": "sessionary ser", "COMP_CWORD": "1"}
    assert package.run(_SESSIONARY_COMPLETE="bash_complete", **variables) == "plain,serve\n"


def test_it_contains_no_test_dependencies(built: dict[str, Path]) -> None:
    sizes = {name: file.stat().st_size / 2**20 for name, file in built.items()}
    assert sizes["one file"] < 15
    assert sizes["pyz"] < 6
