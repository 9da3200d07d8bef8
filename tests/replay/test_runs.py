"""Runs are recorded, done again, compared and reduced."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sessionary.client import Client
from sessionary.control import recording
from sessionary.replay import NotPlayed, Run, first_difference, play, read, running_double, shrink
from sessionary.testing import Server
from sessionary.testing.namespace import Namespace
from tests.processes import COMMAND, run_command
from tests.processes import running_double as double_process

NOON = "2026-03-01T12:00:00Z"
KEY = "sk-notte-0123456789abcdefghij"
SECRET = "mob_a-seeded-secret-of-some-length"
ORGANIZATION = "acme"
USER = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b77"
SEED = {
    "organizations": [{"id": ORGANIZATION, "name": "Acme"}],
    "users": [
        {
            "id": USER,
            "name": "Ana",
            "default_organization": ORGANIZATION,
            "memberships": [{"organization": ORGANIZATION, "role": "admin"}],
        }
    ],
    "keys": [{"secret": SECRET, "user": USER}],
}


class Caller:
    """Makes vendor calls in a namespace, each on its own connection."""

    def __init__(self, url: str, namespace: str = "default") -> None:
        self._address = urlsplit(url).netloc
        self._namespace = namespace

    def __call__(
        self, method: str, path: str, body: Any = None, key: str = KEY, **headers: str
    ) -> Any:
        """Make a call; return the body, or None if the connection is cut."""
        connection = HTTPConnection(self._address, timeout=30)
        who = (
            {"x-api-key": key} if path.startswith("/scale") else {"Authorization": f"Bearer {key}"}
        )
        given = {"Content-Type": "application/json", "Sessionary-Namespace": self._namespace}
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        try:
            connection.request(method, path, content, {**given, **who, **headers})
            text = connection.getresponse().read()
            return json.loads(text) if text else None
        except (HTTPException, ConnectionError):
            return None
        finally:
            connection.close()

    def start(self) -> str:
        return str(self("POST", "/notte/session/start", {})["session_id"])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


def played(run: Run) -> Run:
    with running_double(run) as client:
        return play(run, client)


def scenario(namespace: Namespace, call: Caller) -> None:
    """All that a run keeps: calls, moves of a real clock, faults, a seed, a force, a reset."""
    session = call.start()
    namespace.clock.advance("1m")
    call("GET", f"/notte/sessions/{session}")
    call("GET", f"/notte/sessions/{session}", **{"Sessionary-At": "-30s"})
    call("GET", "/notte/sessions/nothing")
    call("GET", "/notte/no/such/route")
    call("POST", "/notte/session/start", b"\xff{")
    call("GET", "/mobilenext/api/v1/sessions", key=SECRET)
    call("GET", "/mobilenext/api/v1/sessions", key="malformed")
    call(
        "POST", "/scale/v4/sessions", {"title": f"my key is {KEY}", "state": {}, "account_id": "a"}
    )
    namespace.faults.add("notte", "overloaded", times=1, after=1)
    namespace.faults.add("notte", kind="truncated", times=1)
    for _ in range(3):
        call("GET", "/notte/sessions")
    namespace.seed(
        {"notte": {"sessions": [{"id": USER, "organization": ORGANIZATION, "created_ago": "1m"}]}}
    )
    namespace.force(session, "error", surface="notte")
    call("GET", f"/notte/sessions/{session}")
    namespace.clock.advance("-3m")
    call("GET", f"/notte/sessions/{session}")
    namespace.reset()
    namespace.clock.scale(40)
    call.start()
    call("POST", "/galtea/sessions", {"versionId": "v"}, key="gsk_somebody")


def test_a_run_done_again_gives_the_same_answers(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(seed=SEED, record=True)
    scenario(namespace, Caller(server.url, namespace.namespace))
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    assert len(run.calls) == 16
    assert {call["status"] for call in run.calls} >= {200, 201, 400, 401, 404, 529}
    again = played(run)
    assert first_difference(run, again) is None
    assert [call["status"] for call in again.calls] == [call["status"] for call in run.calls]


def test_a_truncated_answer_without_a_body_is_whole_in_both_runs(
    server: Server, tmp_path: Path
) -> None:
    namespace = server.namespace(record=True)
    call = Caller(server.url, namespace.namespace)
    body = {"versionId": "v"}
    made = call("POST", "/galtea/sessions", body, key="gsk_somebody")
    namespace.faults.add("galtea", kind="truncated", times=1)
    call("DELETE", f"/galtea/sessions/{made['id']}", key="gsk_somebody")
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    assert first_difference(run, played(run)) is None


def test_a_run_holds_no_credential(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(seed=SEED, record=True)
    scenario(namespace, Caller(server.url, namespace.namespace))
    text = namespace.save_run(tmp_path / "run.jsonl").read_text()
    for secret in (KEY, SECRET, "somebody", "malformed"):
        assert secret not in text
    callers = read(tmp_path / "run.jsonl").callers
    assert [callers[2][name] for name in ("surface", "user", "organization")] == [
        *("mobilenext", USER, ORGANIZATION)
    ]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('\\"active\\"', '\\"open\\"', '$.items[0].status was "open", is "active"'),
        ('"status": 200', '"status": 500', "the status was 500, is 200"),
        ('"Retry-After": "1"', '"Retry-After": "2"', 'the header Retry-After was "2", is "1"'),
        ('\\"page\\":1', '\\"page\\": 1', "the body is the same JSON in other bytes"),
    ],
)
def test_the_first_difference_is_named(
    server: Server, tmp_path: Path, old: str, new: str, text: str
) -> None:
    namespace = server.namespace(now="2026-03-01T12:00:00Z", record=True)
    call = Caller(server.url, namespace.namespace)
    call.start()
    namespace.faults.add("notte", "overloaded", times=1)
    call("GET", "/notte/sessions")
    call("GET", "/notte/sessions")
    file = namespace.save_run(tmp_path / "run.jsonl")
    *before, call_line = file.read_text().splitlines()
    if "Retry" in old:
        before[-1] = before[-1].replace(old, new)
    else:
        call_line = call_line.replace(old, new)
    file.write_text("\n".join([*before, call_line, ""]))
    number = 2 if "Retry" in old else 3
    found = run_command(COMMAND, "replay", str(file))
    assert (found.returncode, found.stdout) == (
        1,
        f"call {number}, GET /notte/sessions: {text}\n",
    )


def test_calls_in_flight_are_in_the_order_of_their_work(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(record=True)
    call = Caller(server.url, namespace.namespace)
    namespace.faults.add("notte", kind="empty", phase="after", delay="30s", times=1)
    held = threading.Thread(target=call.start)
    held.start()
    while not namespace.sessions():
        assert held.is_alive()
    call("GET", "/notte/sessions")
    call.start()
    namespace.faults.clear()
    held.join()
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    assert [each["method"] for each in run.calls] == ["POST", "GET", "POST"]
    assert first_difference(run, played(run)) is None


def test_a_killed_double_leaves_its_run(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with double_process("--record", str(file)) as double:
        call = Caller(double.url)
        session = call.start()
        Client(double.url).clock.advance("1m")
        call("GET", f"/notte/sessions/{session}")
        double.popen.send_signal(signal.SIGKILL)
        double.popen.wait(30)
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open("a") as end:
        end.write('{"do": "call", "st')
    replayed = run_command(COMMAND, "replay", str(file))
    assert replayed.stdout == f"2 calls of {file} again: all answers are the same\n"


def test_a_run_is_replayed_in_a_running_double(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(record=True)
    Caller(server.url, namespace.namespace).start()
    file = namespace.save_run(tmp_path / "run.jsonl")
    with double_process() as double:
        assert run_command(COMMAND, "replay", str(file), "--url", double.url).returncode == 0
        assert Client(double.url).namespaces.list() == ["default"]


def test_a_failing_run_is_reduced_to_the_calls_that_it_needs(
    server: Server, tmp_path: Path
) -> None:
    """Of 40 calls, a session that times out after another was closed needs three."""
    namespace = server.namespace(now="2026-03-01T12:00:00Z", record=True)
    call = Caller(server.url, namespace.namespace)
    for number in range(12):
        session = call.start()
        if number in (3, 7):
            call("POST", "/notte/session/close", {"session_id": session})
        call("GET", "/notte/sessions")
        call("GET", f"/notte/sessions/{session}")
    namespace.clock.advance("10m")
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    assert len(run.calls) == 38

    def fails(client: Client, _: Run) -> bool:
        return {"closed", "timed_out"} <= {each["status"] for each in client.sessions()}

    small = shrink(run, fails)
    assert [each["path"].rsplit("/", 1)[1] for each in small.calls] == ["start", "close", "start"]
    assert [each["do"] for each in small.steps if each["do"] != "call"] == ["clock"]
    assert first_difference(small, played(small)) is None


def test_a_command_can_be_the_predicate(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(record=True)
    call = Caller(server.url, namespace.namespace)
    call.start()
    call("GET", "/notte/sessions/nothing")
    call("GET", "/notte/sessions")
    file = namespace.save_run(tmp_path / "run.jsonl")
    check = tmp_path / "check.py"
    check.write_text(
        "import json, os, sys\n"
        "run = open(os.environ['SESSIONARY_RUN'])\n"
        "assert os.environ['NOTTE_API_URL']\n"
        "sys.exit(any(json.loads(line).get('status') == 404 for line in run))\n"
    )
    shrunk = run_command(COMMAND, "shrink", str(file), "--", sys.executable, str(check))
    small = tmp_path / "run.shrunk.jsonl"
    assert shrunk.stdout == f"The run still fails with 1 of its 3 calls: {small}\n"
    assert run_command(COMMAND, "replay", str(small)).returncode == 0
    refused = run_command(COMMAND, "shrink", str(file), "--", "true")
    assert refused.stderr == "Error: the whole run does not fail, done again\n"


def test_a_command_is_recorded(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    script = (
        "import os, urllib.request as r; r.urlopen(r.Request(os.environ['NOTTE_API_URL'] + "
        "'/sessions', headers={'Authorization': 'Bearer ' + os.environ['NOTTE_API_KEY']}))"
    )
    recorded = run_command(COMMAND, "record", str(file), "--", sys.executable, "-c", script)
    assert recorded.returncode == 0, recorded.stderr
    assert len(read(file).calls) == 1
    assert run_command(COMMAND, "record", str(file), "--", "false").returncode == 1
    assert read(file).calls == []


@pytest.mark.parametrize("is_own", [True, False])
def test_a_run_that_restores_a_file_can_be_done_again(
    server: Server, tmp_path: Path, is_own: bool
) -> None:
    namespace, other = server.namespace(record=True), server.namespace(now=NOON)
    call = Caller(server.url, namespace.namespace)
    call.start()
    source = namespace if is_own else other
    id = Caller(server.url, source.namespace).start()
    file = source.snapshot(tmp_path / "snapshot.sqlite3")
    namespace.clock.advance("1h")
    call.start()
    namespace.restore(file)
    assert call("GET", f"/notte/sessions/{id}")["status"] == "active"
    call.start()
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    assert first_difference(run, played(run)) is None
    assert len(call("GET", "/notte/sessions")["items"]) == (3 if is_own else 2)


def test_a_run_that_restores_a_large_file_says_that_it_does_not_hold_it(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MAX_RESTORED_BYTES", 1000)
    namespace = server.namespace(record=True)
    namespace.restore(namespace.snapshot(tmp_path / "snapshot.sqlite3"))
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    with pytest.raises(NotPlayed, match="bytes, which it does not hold: record one that begins"):
        played(run)


def test_a_double_with_other_settings_is_named_where_an_answer_differs(tmp_path: Path) -> None:
    with Server(galtea_auto_close_minutes=7) as server:
        namespace = server.namespace(now=NOON, record=True)
        call = Caller(server.url, namespace.namespace)
        id = call("POST", "/galtea/sessions", {"productId": "p"}, "gsk_any")["id"]
        namespace.clock.advance("8m")
        call("GET", f"/galtea/sessions/{id}", key="gsk_any")
        file = namespace.save_run(tmp_path / "run.jsonl")
    with Server(cors_origins="https://a.example") as other:
        ended = run_command(COMMAND, "replay", str(file), "--url", other.url)
    assert ended.returncode == 1
    assert ended.stdout.startswith("call 2, GET /galtea/sessions/")
    assert ended.stdout.endswith("; galtea_auto_close_minutes is the default there, 7 in the run\n")


def test_headers_for_web_pages_are_no_difference(server: Server, tmp_path: Path) -> None:
    namespace = server.namespace(now=NOON, record=True)
    Caller(server.url, namespace.namespace).start()
    run = read(namespace.save_run(tmp_path / "run.jsonl"))
    with Server(cors_origins="https://a.example") as other:
        assert first_difference(run, play(run, other.client)) is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("double", "--record", "notes.txt"),
            "--record must name a new file or an older run",
        ),
        (("double", "--record", "x/run.jsonl"), "--record must name a file that can be written"),
        (
            ("double", "--record", "r.jsonl", "--db", "x.sqlite3"),
            "--record must go with db",
        ),
        (
            ("exec", "--record", "r.jsonl", "--ns", "a", "--", "true"),
            "--record must go without --ns",
        ),
        (("replay", "notes.txt"), "notes.txt, line 1, is not a line of a run"),
        (("replay", "empty"), "empty is not a run file"),
        (("replay", "cut"), "cut has no call that could be made again"),
        (("replay", "newer"), "newer has the format 2, this program reads 1"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (
        ("notes.txt", "a\n"),
        ("empty", ""),
        ("newer", '{"do": "begin", "format": 2}\n'),
        ("cut", '{"do": "begin", "format": 1, "now": "2026-03-01T12:00:00Z"}\n{"do": "call", "st'),
    ):
        Path(name).write_text(content)
    refused = run_command(COMMAND, *arguments)
    assert refused.returncode == (1 if arguments[0] == "replay" else 2)
    assert text in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert Path("notes.txt").read_text() == "a\n"
