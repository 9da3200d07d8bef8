"""The startup banner and the ready file, and starts where neither can be written."""

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
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    Process,
    clean_environment,
    run_command,
    running_process,
)


def closed_pipe() -> int:
    """Open a pipe without a reader."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def full() -> int:
    """Open a full disk."""
    return os.open("/dev/full", os.O_WRONLY)


UNWRITABLE = pytest.mark.parametrize("output", [closed_pipe, full])


@contextmanager
def writing_to(out: int, *arguments: str) -> Iterator[Process]:
    """Run a serving command with its banner written to `out`; gives it once it is ready."""
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


def stop_and_read_log(server: Process) -> list[str]:
    """Stop it with exit code 0; return the lines of its log."""
    assert server.stop() == 0
    assert server.popen.stderr is not None
    return server.popen.stderr.read().splitlines()


@UNWRITABLE
def test_first_keys_that_cannot_be_printed_are_reported_in_the_log(
    tmp_path: Path, output: Callable[[], int]
) -> None:
    db = str(tmp_path / "test.sqlite3")
    with writing_to(output(), "serve", "--db", db) as process:
        assert process.request("GET", "/health")[0] == 200
        (line,) = stop_and_read_log(process)
    assert "WARNING the startup banner could not be printed" in line
    assert "`sessionary keys create`" in line


@UNWRITABLE
def test_a_server_without_new_keys_logs_nothing_about_an_unwritable_output(
    tmp_path: Path, output: Callable[[], int]
) -> None:
    db = str(tmp_path / "test.sqlite3")
    with writing_to(output(), "serve", "--auth", "lenient", "--db", db) as process:
        assert process.request("GET", "/health")[0] == 200
        assert stop_and_read_log(process) == []


@UNWRITABLE
def test_a_double_serves_with_an_unwritable_output(output: Callable[[], int]) -> None:
    with writing_to(output(), "double") as process:
        assert process.request("GET", "/notte/health")[0] == 200
        assert stop_and_read_log(process) == []


@pytest.mark.parametrize("command", ["serve --auth lenient --db {}", "double --db {}"])
def test_it_keeps_serving_after_the_reader_of_its_output_left(tmp_path: Path, command: str) -> None:
    arguments = command.format(tmp_path / "test.sqlite3")
    script = f"{COMMAND} {arguments} --port 0 | (head -1; exec <&-; echo gone)"
    with running_process(["sh", "-c", script], clean_environment()) as process:
        assert process.popen.stdout is not None
        assert process.popen.stdout.readline() == "gone\n"
        assert process.request("GET", "/notte/health")[0] == 200


@pytest.mark.parametrize("command", ["serve", "double"])
@pytest.mark.parametrize("place", ["folder", "file/ready.json", "nope/ready.json"])
def test_an_unwritable_ready_file_is_refused_before_anything_is_created(
    tmp_path: Path, command: str, place: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    db, ready = tmp_path / "test.sqlite3", tmp_path / place
    arguments = [command, "--port", "0", "--db", str(db), "--ready-file", str(ready)]
    ended = run_command(COMMAND, *arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Error: cannot write the ready file {ready}: ")
    assert ended.stderr.count("\n") == 1
    assert {each.name for each in tmp_path.rglob("*")} == {"folder", "file"}


@pytest.mark.parametrize("is_writable", [True, False])
def test_the_whole_banner_is_printed_at_once_even_if_the_ready_file_fails(
    tmp_path: Path, is_writable: bool
) -> None:
    ready, banners = tmp_path / "ready.json", list[tuple[list[str], bool]]()
    notice = ReadyNotice(
        Settings(ready_file=str(ready)),
        lambda banner: banners.append((banner.splitlines()[1:], ready.is_file())),
        lambda url: f"details of {url}",
    )
    if not is_writable:
        ready.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with nullcontext() if is_writable else pytest.raises(CannotWriteReadyFile):
            notice.announce(listener)
        url = "http://{}:{}".format(*listener.getsockname())
    assert banners == [([f"details of {url}"], is_writable)]


def test_a_failed_ready_file_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotWriteReadyFile, match="Is a directory"):
        write_ready_file(tmp_path / "folder", "http://127.0.0.1:8000")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_the_check_of_the_ready_file_leaves_an_existing_one_alone(
    tmp_path: Path,
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("{}")
    check_ready_file_writable(str(ready))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("ready.json", "{}")]
