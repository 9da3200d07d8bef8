"""`sessionary double` as a process: its start, its access rules and its end."""

import gc
import json
import signal
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from sessionary import __version__
from sessionary.cli import main
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    clean_environment,
    run_command,
    run_python,
    running_double,
    running_process,
)
from tests.seed_rows import row

ANY = {"Authorization": "Bearer sk-notte-any"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused without a token
KEPT = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02"
SEED = row("organizations") + row("scale.sessions", f'id = "{KEPT}"')


def startup_error(*arguments: str, exit_code: int = 1) -> str:
    """Return the error of a start that fails."""
    result = run_command(COMMAND, *arguments)
    assert result.returncode == exit_code, result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_it_accepts_any_key_and_has_a_control_plane() -> None:
    with running_double() as double:
        assert double.request("POST", "/session/start", {}, **ANY)[0] == 200
        status, clock = double.request("GET", "/_control/v1/clock")
        assert (status, clock["mode"]) == (200, "real")


def test_it_prints_how_to_use_it() -> None:
    with running_double() as double:
        double.stop()
        assert double.output_lines() == [
            f'To point SDKs at it: eval "$(sessionary env --url {double.url})"',
            f"Console: {double.url}/_control/console/",
            "Control plane (clock, faults, journal, namespaces): "
            f"{double.url}/_control/v1/openapi.json",
        ]


def test_it_keeps_its_data_in_memory_unless_a_file_is_given(tmp_path: Path) -> None:
    with running_double() as double:
        double.request("POST", "/session/start", {}, **ANY)
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "test.sqlite3"
    for count in (1, 2):
        with running_double("--db", str(file)) as double:
            double.request("POST", "/session/start", {}, **ANY)
            _, page = double.request("GET", "/_control/v1/sessions")
            assert len(page["sessions"]) == count
            double.stop()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_all_data_is_in_one_file(tmp_path: Path, sent: signal.Signals) -> None:
    file = tmp_path / "test.sqlite3"
    with running_double("--db", str(file)) as double:
        double.request("POST", "/session/start", {}, **ANY)
        double.popen.send_signal(sent)
        assert double.popen.wait(TIMEOUT_SECONDS) == 0
    assert not Path(f"{file}-wal").exists()


def test_two_doubles_are_independent() -> None:
    with running_double() as one, running_double() as other:
        one.request("PUT", "/_control/v1/clock", {"mode": "frozen"})
        assert other.request("GET", "/_control/v1/clock")[1]["mode"] == "real"
        assert one.url != other.url


def test_the_ready_file_has_url_pid_and_version_until_the_double_ends(tmp_path: Path) -> None:
    file = tmp_path / "ready.json"
    with running_double("--ready-file", str(file)) as double:
        ready = {"url": double.url, "pid": double.popen.pid, "version": __version__}
        assert json.loads(file.read_text()) == ready
        double.stop()
    assert not file.exists()


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_of_a_terminal_leaves_no_ready_file(tmp_path: Path, sent: signal.Signals) -> None:
    file = tmp_path / "ready.json"
    with running_double("--ready-file", str(file)) as double:
        double.popen.send_signal(sent)
        assert double.popen.wait(TIMEOUT_SECONDS) == 0
    assert not file.exists()


def test_under_nohup_it_survives_its_terminal() -> None:
    command = ["nohup", COMMAND, "double", "--port", "0"]
    with running_process(command, clean_environment()) as double:
        double.popen.send_signal(signal.SIGHUP)
        assert double.request("GET", "/notte/health")[0] == 200
        assert double.stop() == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_while_clients_are_connected(sent: signal.Signals) -> None:
    with running_double() as double:
        idle = double.connect()
        idle.request("GET", "/notte/health")
        idle.getresponse().read()
        double.popen.send_signal(sent)
        assert double.popen.wait(TIMEOUT_SECONDS) == 0
        idle.close()


def test_every_namespace_has_the_seed(tmp_path: Path) -> None:
    seed = tmp_path / "seed.toml"
    seed.write_text(SEED)
    with running_double(SESSIONARY_SEED=str(seed)) as double:
        assert double.request("POST", "/_control/v1/namespaces", {"name": "other"})[0] == 201
        for namespace in ("", "/~other"):
            _, page = double.request("GET", f"{namespace}/_control/v1/sessions")
            assert [each["id"] for each in page["sessions"]] == [KEPT]


def test_too_many_namespaces_are_refused_with_the_flag_that_allows_more() -> None:
    with running_double("--max-namespaces", "2") as double:
        assert double.request("POST", "/_control/v1/namespaces", {"name": "a"})[0] == 201
        status, problem = double.request("POST", "/_control/v1/namespaces", {"name": "b"})
        assert status == 409
        assert "--max-namespaces" in problem["detail"]


def test_on_an_address_that_is_not_loopback_it_needs_a_token() -> None:
    error = startup_error("double", "--host", EVERYWHERE, "--port", "0", exit_code=2)
    assert "SESSIONARY_CONTROL_TOKEN" in error
    with running_double("--host", EVERYWHERE, SESSIONARY_CONTROL_TOKEN="hush") as double:
        assert double.request("GET", "/_control/v1/clock")[0] == 401
        who = {"Authorization": "Bearer hush"}
        assert double.request("GET", "/_control/v1/clock", **who)[0] == 200


def test_a_server_with_a_control_plane_needs_a_token_before_it_starts(tmp_path: Path) -> None:
    db = str(tmp_path / "test.sqlite3")
    assert "SESSIONARY_CONTROL_TOKEN" in startup_error(
        "serve", "--control", "--port", "0", "--db", db, exit_code=2
    )
    assert list(tmp_path.iterdir()) == []


def test_a_used_port_is_refused_in_one_sentence() -> None:
    with running_double() as double:
        port = double.url.rpartition(":")[2]
        assert f"cannot listen on 127.0.0.1:{port}" in startup_error("double", "--port", port)


def test_it_imports_neither_apispec_nor_gunicorn_but_its_parser() -> None:
    script = (
        "import os, signal, sys, threading\n"
        "from sessionary.cli import main\n"
        "import sessionary.server.ready_notice as notice\n"
        "announce = notice.ReadyNotice.announce\n"
        "def seen(self, listener):\n"
        "    announce(self, listener)\n"
        "    print(*(f'gunicorn.{name}' in sys.modules for name in ('app', 'arbiter', 'config')),"
        " 'apispec' in sys.modules)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "notice.ReadyNotice.announce = seen\n"
        "main(['double', '--port', '0'])\n"
    )
    assert run_python(script).splitlines()[-1] == "False False False False"


def test_a_double_that_does_not_start_leaves_signals_and_garbage_collection_as_they_were() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert CliRunner().invoke(main, ["double", "--port", port]).exit_code == 1
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    assert gc.isenabled()
