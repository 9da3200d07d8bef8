"""What `serve` promises, kept by granian as well."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sessionary import __version__
from sessionary.surfaces import SURFACES
from tests.processes import COMMAND, PATIENCE, Process, serving

GRANIAN = ("--server", "granian")
WHO = {"Authorization": "Bearer anyone"}
START = b'{"session_timeout_minutes": 7}'
HEAD = (
    b"POST /session/start HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer anyone\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(START)
)


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "world.sqlite3")


@contextmanager
def sent(server: Process, data: bytes) -> Iterator[socket.socket]:
    """A connection on which this has been sent."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        connection.sendall(data)
        yield connection


def start(server: Process) -> str:
    """Start a Notte session; gives its id."""
    status, session = server.request("POST", "/session/start", {}, **WHO)
    assert status == 200
    return str(session["session_id"])


def test_the_ready_file_says_where_it_listens_and_goes_with_it(db: str, tmp_path: Path) -> None:
    ready = tmp_path / "run" / "ready.json"
    options = ("--db", db, "--auth", "lenient", "--ready-file", str(ready))
    with serving(*GRANIAN, *options) as server:
        assert json.loads(ready.read_text()) == {
            "url": server.url,
            "pid": server.popen.pid,
            "version": __version__,
        }
        assert server.request("GET", "/health")[0] == 200
        assert server.stop() == 0
        assert server.lines() == []
    assert not ready.exists()


def test_a_worker_that_does_not_serve_yet_can_be_stopped(db: str) -> None:
    with serving(*GRANIAN, "--db", db, "--auth", "lenient", "--workers", "2") as server:
        server.popen.send_signal(signal.SIGTERM)
        assert server.popen.wait(5) == 0


def test_the_first_start_prints_keys_and_curl_lines_that_work(db: str) -> None:
    with serving(*GRANIAN, "--db", db) as server:
        assert server.popen.stdout is not None
        count = len(SURFACES)
        said = [server.popen.stdout.readline() for _ in range(2 * count + 2)]
        for line in said[count + 2 :]:
            shell = ["sh", "-c", f"{line.strip()} -s -w ' %{{http_code}}'"]
            pasted = subprocess.run(shell, capture_output=True, check=True)
            assert pasted.stdout.endswith((b" 200", b" 201")), line
        assert server.stop() == 0
        assert server.lines() == []


def test_sigterm_finishes_what_is_in_flight_and_exits_with_0(db: str) -> None:
    with serving(*GRANIAN, "--db", db, "--auth", "lenient") as server:
        with sent(server, HEAD + b"Expect: 100-continue\r\n\r\n") as connection:
            assert connection.recv(1024).startswith(b"HTTP/1.1 100")
            server.popen.send_signal(signal.SIGTERM)
            connection.sendall(START)
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"timeout_minutes":7' in answer
        assert server.popen.wait(PATIENCE) == 0


def test_each_request_is_a_line_of_the_log(db: str) -> None:
    command = [COMMAND, "serve", *GRANIAN, "--db", db, "--port", "0", "--log-format", "json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as popen:
        assert popen.stdout is not None
        url = popen.stdout.readline().split("listens on ")[1].split(",")[0]
        assert Process(popen, url).request("GET", "/notte/n%C3%B6where")[0] == 401
        popen.terminate()
        _, logged = popen.communicate(timeout=PATIENCE)
    line = json.loads(logged)
    assert (line["method"], line["surface"], line["status"]) == ("GET", "notte", 401)


def test_a_revoked_key_is_refused_at_once_by_every_worker(db: str) -> None:
    with serving(*GRANIAN, "--db", db, "--workers", "2") as server:
        made = subprocess.run(
            [COMMAND, "keys", "create", "--db", db, "--json"], capture_output=True, check=True
        )
        key = json.loads(made.stdout)[0]
        who = {"Authorization": f"Bearer {key['secret']}"}
        assert server.request("POST", "/session/start", {}, **who)[0] == 200
        subprocess.run([COMMAND, "keys", "revoke", key["id"], "--db", db], check=True)
        asked = [server.request("POST", "/session/start", {}, **who)[0] for _ in range(16)]
        assert asked == [401] * 16


def test_what_is_answered_survives_the_death_of_the_workers_who_are_replaced(db: str) -> None:
    with serving(*GRANIAN, "--db", db, "--auth", "lenient", "--workers", "2") as server:
        made = start(server)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        _, session = server.request("GET", f"/notte/sessions/{made}", **WHO)
        assert session["status"] == "active"


def test_no_worker_outlives_a_server_that_is_killed(db: str) -> None:
    with serving(*GRANIAN, "--db", db, "--auth", "lenient", "--workers", "3") as server:
        start(server)
        server.popen.kill()
        server.popen.communicate(timeout=PATIENCE)  # until nobody holds its output any more
        with pytest.raises(ConnectionRefusedError):
            server.request("GET", "/health")


def test_half_heads_and_unread_answers_keep_nobody_waiting(db: str) -> None:
    unread = b"GET /notte/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * 100
    with (
        serving(*GRANIAN, "--db", db, "--auth", "lenient", "--threads", "2") as server,
        ExitStack() as slow,
    ):
        for _ in range(8):
            slow.enter_context(sent(server, HEAD))
            slow.enter_context(sent(server, unread))
        assert server.request("GET", "/health")[0] == 200


def test_a_half_body_holds_no_more_than_its_thread(db: str) -> None:
    with (
        serving(*GRANIAN, "--db", db, "--auth", "lenient", "--threads", "2") as server,
        sent(server, HEAD + b"\r\n" + START[:5]) as slow,
    ):
        assert server.request("GET", "/health")[0] == 200
        slow.sendall(START[5:])
        assert slow.recv(1024).startswith(b"HTTP/1.1 200")


def test_a_taken_port_is_refused_in_one_sentence(db: str) -> None:
    with serving(*GRANIAN, "--db", db, "--auth", "lenient") as server:
        port = server.url.rpartition(":")[2]
        second = subprocess.run(
            [COMMAND, "serve", *GRANIAN, "--db", db, "--port", port],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        taken = f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        assert (second.returncode, second.stderr) == (1, taken)
        assert server.request("GET", "/health")[0] == 200


def test_where_it_is_not_installed_one_sentence_names_the_extra(db: str) -> None:
    script = (
        "import sys; sys.modules['granian'] = None\n"
        f"from sessionary.cli import main; main(['serve', *{GRANIAN}, '--db', {db!r}])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    refusal = (
        "Error: server granian is not installed: it comes with the extra, sessionary[granian]\n"
    )
    assert (told.returncode, told.stderr) == (1, refusal)
    assert not Path(db).exists()
