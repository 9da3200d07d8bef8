"""What a server and a double say of themselves, and what becomes of them if nobody hears it."""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from sessionary.server.ready_notice import (
    CannotWriteReadyFile,
    ReadyNotice,
    check_ready_file_writable,
    write_ready_file,
)
from sessionary.settings import Settings
from tests.processes import COMMAND, TIMEOUT_SECONDS, Process, clean_environment, running_process


def closed_pipe() -> int:
    """A pipe into which nobody looks any more."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def full() -> int:
    """A disk without room."""
    return os.open("/dev/full", os.O_WRONLY)


UNHEARD = pytest.mark.parametrize("nobody", [closed_pipe, full])


@contextmanager
def told_to(out: int, *arguments: str) -> Iterator[Process]:
    """A command that serves and says so there, from when it is ready until it is killed."""
    with socket.create_server(("127.0.0.1", 0)) as trial:
        port = trial.getsockname()[1]
    popen = subprocess.Popen(
        [COMMAND, *arguments, "--port", str(port), "--no-log-requests"],
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    os.close(out)
    with popen:
        try:
            url = f"http://127.0.0.1:{port}"
            subprocess.run([COMMAND, "ready", url, "--wait", f"{TIMEOUT_SECONDS}s"], check=True)
            yield Process(popen, url)
        finally:
            popen.kill()


def ended(server: Process) -> list[str]:
    """What it wrote to its log before it ended well."""
    assert server.stop() == 0
    assert server.popen.stderr is not None
    return server.popen.stderr.read().splitlines()


@UNHEARD
def test_a_server_whose_first_keys_nobody_saw_serves_and_logs_how_to_make_others(
    tmp_path: Path, nobody: Callable[[], int]
) -> None:
    db = str(tmp_path / "test.sqlite3")
    with told_to(nobody(), "serve", "--db", db) as process:
        assert process.request("GET", "/health")[0] == 200
        (line,) = ended(process)
    assert "WARNING the startup banner could not be printed" in line
    assert "`sessionary keys create`" in line


@UNHEARD
def test_a_server_without_keys_to_tell_serves_and_logs_nothing_of_it(
    tmp_path: Path, nobody: Callable[[], int]
) -> None:
    db = str(tmp_path / "test.sqlite3")
    with told_to(nobody(), "serve", "--auth", "lenient", "--db", db) as process:
        assert process.request("GET", "/health")[0] == 200
        assert ended(process) == []


@UNHEARD
def test_a_double_serves_though_nobody_hears_where(nobody: Callable[[], int]) -> None:
    with told_to(nobody(), "double") as process:
        assert process.request("GET", "/notte/health")[0] == 200
        assert ended(process) == []


@pytest.mark.parametrize("command", ["serve --auth lenient --db {}", "double --db {}"])
def test_it_outlives_who_reads_but_its_first_line(tmp_path: Path, command: str) -> None:
    arguments = command.format(tmp_path / "test.sqlite3")
    script = f"{COMMAND} {arguments} --port 0 | (head -1; exec <&-; echo gone)"
    with running_process(["sh", "-c", script], clean_environment()) as process:
        assert process.popen.stdout is not None
        assert process.popen.stdout.readline() == "gone\n"
        assert process.request("GET", "/notte/health")[0] == 200


@pytest.mark.parametrize("command", ["serve", "double"])
@pytest.mark.parametrize("place", ["folder", "file/ready.json"])
def test_a_ready_file_that_cannot_be_written_is_refused_before_anything_is_made(
    tmp_path: Path, command: str, place: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    db, ready = tmp_path / "test.sqlite3", tmp_path / place
    arguments = [command, "--port", "0", "--db", str(db), "--ready-file", str(ready)]
    told = subprocess.run(
        [COMMAND, *arguments], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"Error: cannot write the ready file {ready}: ")
    assert told.stderr.count("\n") == 1
    assert {each.name for each in tmp_path.rglob("*")} == {"folder", "file"}


@pytest.mark.parametrize("is_writable", [True, False])
def test_all_is_said_at_once_whether_the_ready_file_is_written_or_fails(
    tmp_path: Path, is_writable: bool
) -> None:
    ready, heard = tmp_path / "ready.json", list[tuple[list[str], bool]]()
    notice = ReadyNotice(
        Settings(ready_file=str(ready)),
        lambda said: heard.append((said.splitlines()[1:], ready.is_file())),
        lambda url: f"more of {url}",
    )
    if not is_writable:
        ready.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with nullcontext() if is_writable else pytest.raises(CannotWriteReadyFile):
            notice.announce(listener)
        url = "http://{}:{}".format(*listener.getsockname())
    assert heard == [([f"more of {url}"], is_writable)]


def test_a_ready_file_that_fails_leaves_no_draft_of_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotWriteReadyFile, match="Is a directory"):
        write_ready_file(tmp_path / "folder", "http://127.0.0.1:8000")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_to_prove_that_a_ready_file_can_be_written_leaves_the_one_that_is_there(
    tmp_path: Path,
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("{}")
    check_ready_file_writable(str(ready))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("ready.json", "{}")]
