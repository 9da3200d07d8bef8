"""The setting `metrics`: what it loads, and the errors of a value that cannot be used."""

import socket
import sys
from pathlib import Path

import pytest

from tests.processes import run_command, run_python


def startup_error(*options: str, without: str = "nothing", exit_code: int = 2) -> str:
    """Return the error with which `serve` refuses to start."""
    script = (
        f"import sys; sys.modules[{without!r}] = None\n"
        f"from sessionary.cli import main; main(['serve', *{options!r}])"
    )
    ended = run_command(sys.executable, "-c", script)
    assert ended.returncode == exit_code
    return ended.stderr


def test_without_prometheus_client_the_error_names_the_extra(tmp_path: Path) -> None:
    db = tmp_path / "test.sqlite3"
    options = ("--metrics", "127.0.0.1:0", "--port", "0", "--db", str(db))
    assert startup_error(*options, without="prometheus_client") == (
        "Error: metrics need prometheus_client, which is not installed: "
        "it comes with the extra, sessionary[metrics]\n"
    )
    assert not db.exists()


@pytest.mark.parametrize("address", ["9090", ":9090", "::1:9090", "here:http", "127.0.0.1:70000"])
def test_a_malformed_address_is_refused_in_one_sentence(tmp_path: Path, address: str) -> None:
    error = startup_error("--metrics", address, "--port", "0", "--db", str(tmp_path / "w.sqlite3"))
    expected = f"--metrics must be an address such as 127.0.0.1:9090, not '{address}'"
    assert error == f"Error: {expected}\n"


def test_an_address_in_use_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        error = startup_error(
            *("--metrics", address, "--port", "0", "--db", str(tmp_path / "w.sqlite3")), exit_code=1
        )
    assert error == f"Error: cannot serve metrics on {address}: Address already in use\n"


def test_without_the_setting_prometheus_client_is_not_imported() -> None:
    script = (
        "import sys, sessionary.server, sessionary.server.gunicorn, sessionary.cli.double\n"
        "from sessionary.factory import create_double; create_double()\n"
        "print([name for name in sys.modules if name.startswith('prometheus')])"
    )
    assert run_python(script).strip().endswith("[]")
