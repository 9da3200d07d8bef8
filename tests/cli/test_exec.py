"""`sessionary exec`: a command beside a double of its own, and what becomes of both."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.test_double import KEPT, SEED
from tests.processes import COMMAND, TIMEOUT_SECONDS, clean_environment

PYTHON = sys.executable
WAITS = (
    "import signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    "signal.signal(signal.SIGUSR1, lambda *_: print('heard', flush=True))\n"
    "print('ready', flush=True)\n"
    "while True: signal.pause()\n"
)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "exec", *arguments],
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@contextmanager
def running(
    *command: str, before: Sequence[str] = (), stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """A command within `exec`, once it has said that it is ready."""
    with subprocess.Popen(
        [*before, COMMAND, "exec", "--", *command],
        env=clean_environment(),
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as popen:
        try:
            assert popen.stdout is not None
            assert popen.stdout.readline() == "ready\n"
            yield popen
        finally:
            popen.kill()


@pytest.mark.parametrize("code", [0, 1, 7])
def test_it_exits_with_the_commands_code_and_says_nothing_itself(code: int) -> None:
    told = run("--", "sh", "-c", f"echo said; exit {code}")
    assert (told.returncode, told.stdout, told.stderr) == (code, "said\n", "")


def test_the_command_finds_the_double_by_the_vendors_variables() -> None:
    call = (
        "curl --silent --fail-with-body -X POST $NOTTE_API_URL/session/start -d '{}'"
        " -H 'Content-Type: application/json' -H \"Authorization: Bearer $NOTTE_API_KEY\""
    )
    told = run("sh", "-c", call)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["status"] == "active"


def test_commands_within_it_ask_its_double_and_no_database() -> None:
    script = f"{COMMAND} clock freeze 2026-03-01T12:00:00Z >/dev/null && {COMMAND} clock --json"
    told = run("--", "sh", "-c", script, SESSIONARY_DB=":memory:")
    assert json.loads(told.stdout)["now"] == "2026-03-01T12:00:00.000000Z"


def test_every_namespace_of_its_double_begins_with_the_seed(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(SEED)
    told = run("--seed", str(seed), "--ns", "t42", "--", COMMAND, "sessions", "--json")
    assert [each["id"] for each in json.loads(told.stdout)] == [KEPT]


def test_its_data_is_whole_in_the_one_file_when_the_command_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    told = run("--db", str(file), "--", COMMAND, "clock", "advance", "1h")
    assert told.returncode == 0, told.stderr
    assert not Path(f"{file}-wal").exists()


def test_the_command_is_led_into_the_namespace_that_is_named() -> None:
    told = run("--ns", "t42", "--", "sh", "-c", "echo $SESSIONARY_NAMESPACE $GALTEA_API_KEY")
    assert told.stdout == "t42 gsk_ns-t42-test\n"


def test_a_command_that_is_not_there_is_127_and_a_sentence() -> None:
    told = run("--", "no-such-command-anywhere")
    assert told.returncode == 127
    assert told.stderr == "Error: command not found: no-such-command-anywhere\n"


def test_a_command_that_cannot_be_run_is_126_and_a_sentence(tmp_path: Path) -> None:
    told = run("--", str(tmp_path))
    assert told.returncode == 126
    assert told.stderr == f"Error: cannot run {tmp_path}: Permission denied\n"


def test_a_command_that_a_signal_kills_is_128_and_its_number() -> None:
    assert run("--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_signals_are_passed_on_and_the_command_decides() -> None:
    with running(PYTHON, "-c", WAITS) as popen:
        popen.send_signal(signal.SIGUSR1)
        assert popen.stdout is not None
        assert popen.stdout.readline() == "heard\n"
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(TIMEOUT_SECONDS) == 5


def test_an_interrupt_that_no_terminal_sent_is_passed_on() -> None:
    waits = "import signal; print('ready', flush=True); signal.pause()"
    with running(PYTHON, "-c", waits) as popen:
        popen.send_signal(signal.SIGINT)
        assert popen.wait(TIMEOUT_SECONDS) == 128 + signal.SIGINT


def test_at_a_terminal_an_interrupt_is_left_to_the_terminal_which_sends_it_to_both() -> None:
    in_front = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    then_run = "os.execv(sys.argv[1], sys.argv[1:])"
    tells = (
        "import signal\n"
        "sent = {signal.SIGINT, signal.SIGTERM}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, sent)\n"
        "print('ready', flush=True)\n"
        "while (one := signal.sigwait(sent)) != signal.SIGTERM: print(one.name, flush=True)\n"
    )
    keyboard, terminal = os.openpty()
    shim = [PYTHON, "-c", f"{in_front}; {then_run}"]
    with running(PYTHON, "-c", tells, before=shim, stdin=terminal) as popen:
        assert popen.stdout is not None
        os.write(keyboard, b"\x03")
        assert popen.stdout.readline() == "SIGINT\n"
        popen.send_signal(signal.SIGINT)  # to `exec` alone
        popen.send_signal(signal.SIGTERM)
        assert popen.communicate(timeout=TIMEOUT_SECONDS)[0] == ""
        assert popen.returncode == 0
    os.close(keyboard)
    os.close(terminal)


def test_its_double_ends_with_the_command() -> None:
    told = run("--", "sh", "-c", "echo $SESSIONARY_URL")
    connection = HTTPConnection(urlsplit(told.stdout.strip()).netloc, timeout=TIMEOUT_SECONDS)
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/notte/health")


def test_without_a_command_it_says_how_it_is_called() -> None:
    told = run()
    assert told.returncode == 2
    assert "Usage: sessionary exec" in told.stderr
