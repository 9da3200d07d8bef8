"""`sessionary exec`: a command with its own double, and the end of both."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.test_double import KEPT, SEED
from tests.processes import COMMAND, TIMEOUT_SECONDS, clean_environment, run_command

PYTHON = sys.executable
WAITS = (
    "import signal, sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
    "signal.signal(signal.SIGUSR1, lambda *_: print('received', flush=True))\n"
    "print('ready', flush=True)\n"
    "while True: signal.pause()\n"
)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_command(COMMAND, "exec", *arguments, **variables)


@contextmanager
def running(
    *command: str, before: Sequence[str] = (), stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """Run a command with `exec` and wait until it prints `ready`."""
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
def test_it_exits_with_the_commands_code_and_prints_nothing_itself(code: int) -> None:
    result = run("--", "sh", "-c", f"echo said; exit {code}")
    assert (result.returncode, result.stdout, result.stderr) == (code, "said\n", "")


START = (
    "curl --silent --fail-with-body -X POST $NOTTE_API_URL/session/start -d '{}'"
    " -H 'Content-Type: application/json' -H \"Authorization: Bearer $NOTTE_API_KEY\""
)


def test_the_command_finds_the_double_by_environment_variables() -> None:
    result = run("sh", "-c", START)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["status"] == "active"


def test_the_double_listens_where_the_variables_say() -> None:
    with socket.create_server(("127.0.0.2", 0)) as listener:
        port = str(listener.getsockname()[1])
        taken = run("--", "true", SESSIONARY_HOST="127.0.0.2", SESSIONARY_PORT=port)
    assert taken.stderr == f"Error: cannot listen on 127.0.0.2:{port}: Address already in use\n"
    script = 'echo "$SESSIONARY_URL"; curl --silent "$SESSIONARY_URL/livez"'
    result = run("--", "sh", "-c", script, SESSIONARY_HOST="127.0.0.2", SESSIONARY_PORT=port)
    assert result.stdout.split("\n", 1) == [f"http://127.0.0.2:{port}", '{"status":"alive"}']


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_does_not_lead_the_command_past_the_double(name: str) -> None:
    gone = "http://127.0.0.1:9"
    proxies = {"HTTP_PROXY": gone, "http_proxy": gone, "ALL_PROXY": gone, name: "intranet.test"}
    httpx = "import httpx, os; httpx.get(os.environ['NOTTE_API_URL'] + '/health')"
    script = f'{START}; {PYTHON} -c "{httpx}"; echo; echo $NO_PROXY $no_proxy'
    result = run("sh", "-ec", script, **proxies)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "intranet.test,127.0.0.1 intranet.test,127.0.0.1"


def test_sessionary_commands_in_it_use_its_double_and_no_database() -> None:
    script = f"{COMMAND} clock freeze 2026-03-01T12:00:00Z >/dev/null && {COMMAND} clock --json"
    result = run("--", "sh", "-c", script, SESSIONARY_DB=":memory:")
    assert json.loads(result.stdout)["now"] == "2026-03-01T12:00:00.000000Z"


def test_every_namespace_of_its_double_has_the_seed(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(SEED)
    result = run("--seed", str(seed), "--ns", "t42", "--", COMMAND, "sessions", "--json")
    assert [each["id"] for each in json.loads(result.stdout)] == [KEPT]


def test_all_data_is_in_one_file_when_the_command_has_ended(tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    result = run("--db", str(file), "--", COMMAND, "clock", "advance", "1h")
    assert result.returncode == 0, result.stderr
    assert not Path(f"{file}-wal").exists()


def test_the_variables_select_the_given_namespace() -> None:
    result = run("--ns", "t42", "--", "sh", "-c", "echo $SESSIONARY_NAMESPACE $GALTEA_API_KEY")
    assert result.stdout == "t42 gsk_ns-t42-test\n"


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        ("no-such-command-anywhere", 127, "command not found: no-such-command-anywhere"),
        ("/usr", 126, "cannot run /usr: Permission denied"),
    ],
)
def test_a_command_that_cannot_run_is_exit_code_126_or_127_and_a_sentence(
    command: str, code: int, why: str
) -> None:
    result = run("--", command)
    assert (result.returncode, result.stderr) == (code, f"Error: {why}\n")


def test_a_command_killed_by_a_signal_is_exit_code_128_plus_its_number() -> None:
    assert run("--", "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_signals_are_forwarded_to_the_command() -> None:
    with running(PYTHON, "-c", WAITS) as popen:
        popen.send_signal(signal.SIGUSR1)
        assert popen.stdout is not None
        assert popen.stdout.readline() == "received\n"
        popen.send_signal(signal.SIGTERM)
        assert popen.wait(TIMEOUT_SECONDS) == 5


def test_an_interrupt_from_outside_the_terminal_is_forwarded() -> None:
    waits = "import signal; print('ready', flush=True); signal.pause()"
    with running(PYTHON, "-c", waits) as popen:
        popen.send_signal(signal.SIGINT)
        assert popen.wait(TIMEOUT_SECONDS) == 128 + signal.SIGINT


def test_an_interrupt_from_the_terminal_is_not_sent_twice() -> None:
    take_terminal = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    then_run = "os.execv(sys.argv[1], sys.argv[1:])"
    print_signals = (
        "import signal\n"
        "sent = {signal.SIGINT, signal.SIGTERM}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, sent)\n"
        "print('ready', flush=True)\n"
        "while (one := signal.sigwait(sent)) != signal.SIGTERM: print(one.name, flush=True)\n"
    )
    keyboard, terminal = os.openpty()
    shim = [PYTHON, "-c", f"{take_terminal}; {then_run}"]
    with running(PYTHON, "-c", print_signals, before=shim, stdin=terminal) as popen:
        assert popen.stdout is not None
        os.write(keyboard, b"\x03")
        assert popen.stdout.readline() == "SIGINT\n"
        popen.send_signal(signal.SIGINT)  # to `exec` alone
        popen.send_signal(signal.SIGTERM)
        assert popen.communicate(timeout=TIMEOUT_SECONDS)[0] == ""
        assert popen.returncode == 0
    os.close(keyboard)
    os.close(terminal)


def test_its_double_stops_when_the_command_ends() -> None:
    result = run("--", "sh", "-c", "echo $SESSIONARY_URL")
    connection = HTTPConnection(urlsplit(result.stdout.strip()).netloc, timeout=TIMEOUT_SECONDS)
    with pytest.raises(ConnectionRefusedError):
        connection.request("GET", "/notte/health")


def test_without_a_command_it_prints_its_usage() -> None:
    result = run()
    assert result.returncode == 2
    assert "Usage: sessionary exec" in result.stderr
