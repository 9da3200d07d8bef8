"""The packages, built and then used where there is no Python environment and no PATH.

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
# How a session is made, as whom, and where it is read.
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
    """A built file among other folders of its own, and how it is started."""

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
        """What a command prints; it must succeed."""
        told = subprocess.run(
            self.command(*arguments),
            cwd=self.home,
            env=self.environ(**variables),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        return told.stdout

    def serving(self, db: str = "namespace", **variables: str) -> AbstractContextManager[Process]:
        """Two workers on a free port, whoever asks being admitted."""
        path = self.home / f"{db}.sqlite3"
        arguments = ("--port", "0", "--workers", "2", "--auth", "lenient", "--db", str(path))
        return running_process(self.command("serve", *arguments), self.environ(**variables))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both files, by the README's own lines."""
    checkout = check_out(tmp_path_factory.mktemp("checkout"))
    environ = os.environ | {"PATH": f"{SCRIPTS}:{os.environ['PATH']}"}
    script = ["sh", "-ec", block("sh packages")]
    told = subprocess.run(script, cwd=checkout, env=environ, capture_output=True, check=True)
    assert told.stdout.decode().count(f"version {__version__}\n") == 2
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
    """All that a process has started, the youngest first."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, children) for each in (*descendants(child), child)]


def both_workers(package: Package, server: Process) -> list[int]:
    """Its two workers; the second is started a moment after the server listens."""
    for _ in range(1000):
        found = descendants(server.popen.pid)
        workers = found if package.interpreter else found[:-1]
        if len(workers) == 2:
            return workers
        server.request("GET", "/health")
    raise AssertionError(found)


def kill(*pids: int, with_them: Sequence[int] = ()) -> None:
    """Give processes no chance; wait until they, and others that end with them, are gone."""
    handles = [os.pidfd_open(pid) for pid in (*pids, *with_them)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for handle in handles:
        assert select.select([handle], [], [], TIMEOUT_SECONDS)[0]
        os.close(handle)


def create_on_every_surface(server: Process) -> list[tuple[str, dict[str, str]]]:
    """A session of each vendor; gives where, and as whom, each can be read."""
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


def test_sigterm_ends_it_with_0_and_leaves_nothing_unpacked(package: Package) -> None:
    with package.serving() as server:
        create_on_every_surface(server)
        assert server.stop() == 0
    assert list(package.temporary.iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_its_processes_at_once_ends_it_with_0(
    package: Package, sent: signal.Signals
) -> None:
    """As a terminal sends Ctrl-C, and systemd its SIGTERM."""
    with package.serving() as server:
        os.killpg(server.popen.pid, sent)
        assert server.popen.wait(TIMEOUT_SECONDS) == 0
    assert list(package.temporary.iterdir()) == []


def test_what_it_starts_has_the_environment_that_it_was_started_in(package: Package) -> None:
    shell = ["exec", "--", "/bin/sh", "-c", 'echo "$LD_LIBRARY_PATH"; /usr/bin/env']
    for libraries in ({}, {"LD_LIBRARY_PATH": "/of/mine"}):
        first, *rest = package.run(*shell, **libraries).splitlines()
        assert first == libraries.get("LD_LIBRARY_PATH", "")
        assert not [line for line in rest if line.startswith("_PYI_") or "_MEI" in line]


@pytest.mark.parametrize("package", ["one file"], indirect=True)
def test_one_that_another_starts_unpacks_itself_anew(package: Package) -> None:
    nested = f'"{package.file}" exec -- /bin/true; "{package.file}" --version'
    told = package.run("exec", "--", "/bin/sh", "-c", nested)
    assert told == f"sessionary, version {__version__}\n"
    assert list(package.temporary.iterdir()) == []


def test_killed_whole_it_starts_again_with_nothing_lost(package: Package) -> None:
    with package.serving() as server:
        made = [each for _ in range(5) for each in create_on_every_surface(server)]
        kill(server.popen.pid, *reversed(descendants(server.popen.pid)))
    with package.serving() as server:
        assert statuses(server, made) == {200}
        assert statuses(server, create_on_every_surface(server)) == {200}
        assert server.stop() == 0


@pytest.mark.parametrize("package", ["one file"], indirect=True)
def test_the_server_ends_with_the_process_that_unpacked_it(package: Package) -> None:
    """Killing that one alone must not leave a server behind that nobody knows of."""
    with package.serving() as server:
        made = create_on_every_surface(server)
        kill(server.popen.pid, with_them=descendants(server.popen.pid))
        with pytest.raises(ConnectionRefusedError):
            server.request("GET", "/health")
    assert list(package.temporary.iterdir()) == []
    with package.serving() as server:
        assert statuses(server, made) == {200}


def test_two_run_at_once_and_one_outlives_the_other(package: Package) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(package.serving(name)) for name in ("one", "two"))
        made = create_on_every_surface(first)
        assert statuses(second, made) == {404}
        assert first.stop() == 0
        assert statuses(second, create_on_every_surface(second)) == {200}
        assert second.request("GET", "/openapi.json")[0] == 200
        assert second.stop() == 0


def test_two_that_share_a_database_see_each_others_sessions(package: Package) -> None:
    with package.serving() as first, package.serving() as second:
        assert statuses(second, create_on_every_surface(first)) == {200}
        assert statuses(first, create_on_every_surface(second)) == {200}


def test_it_goes_on_when_another_version_takes_its_place(package: Package) -> None:
    """What it imports late, and workers that are started late, come from the file it was."""
    with package.serving() as server:
        replacement = package.home / "new"
        replacement.write_text("another version\n")
        replacement.replace(package.file)
        assert server.request("GET", "/openapi.json")[1]["openapi"] == "3.1.0"
        kill(*both_workers(package, server))
        assert statuses(server, create_on_every_surface(server)) == {200}
        assert server.request("GET", "/scale/openapi.json")[1]["openapi"] == "3.1.0"
        assert server.stop() == 0


def test_it_tells_systemd_that_it_listens(package: Package) -> None:
    address = package.home / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(TIMEOUT_SECONDS)
        manager.bind(str(address))
        with package.serving(NOTIFY_SOCKET=str(address)):
            assert b"READY=1" in manager.recv(1024).split(b"\n")


def test_it_tells_its_version(package: Package) -> None:
    assert package.run("--version") == f"sessionary, version {__version__}\n"


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_is_in_it(package: Package, path: tuple[str, ...]) -> None:
    assert "Usage:" in package.run(*path, "--help")


def test_the_commands_work_on_a_database_of_their_own(package: Package) -> None:
    run: Callable[..., str] = package.run
    assert "notte" in run("keys", "create", "--surface", "notte")
    device = ("--serial", "p", "--platform", "android", "--type", "real", "--version", "16")
    run("devices", "add", *device, "--name", "größer")
    assert "größer" in run("devices", "list")
    db = str(package.home / "instance" / "sessionary.sqlite3")
    run("clock", "freeze", "2026-03-01T12:00:00Z", "--db", db)
    assert "2026-03-01T12:00:00" in run("clock", "show", "--db", db)


def test_it_completes_in_a_shell(package: Package) -> None:
    asked = {"COMP_WORDS": "sessionary ser", "COMP_CWORD": "1"}
    assert package.run(_SESSIONARY_COMPLETE="bash_complete", **asked) == "plain,serve\n"


def test_it_holds_nothing_that_only_a_test_needs(built: dict[str, Path]) -> None:
    sizes = {name: file.stat().st_size / 2**20 for name, file in built.items()}
    assert sizes["one file"] < 15
    assert sizes["pyz"] < 6
