"""With a seed of ids, two runs of the same calls give the same bytes."""

import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sessionary.client import Client
from sessionary.sdk_env import Environment
from sessionary.testing import Server
from tests.processes import COMMAND, run_command, running_double, running_server
from tests.sdk_environments import sdk_script

WHO = {"Authorization": "Bearer sk-notte-1"}
NOON = "2026-03-01T12:00:00Z"
SCRIPT = Path(__file__).with_name("sdk_script_all.py")
DRIVER = Path(__file__).parents[1] / "surfaces/mobilenext/sdk_script_driver.mjs"


class Tap:
    """Forwards connections to a server and keeps what it sends back, for each connection."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self.received: list[bytearray] = []
        self.opened: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://{}:{}".format(*self.listener.getsockname())

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((self._server.hostname, self._server.port))
            kept = bytearray()
            self.received.append(kept)
            self.opened += [client, server]
            copies: list[tuple[socket.socket, socket.socket, Callable[[bytes], Any]]]
            copies = [(client, server, bool), (server, client, kept.extend)]
            for copy in copies:
                threading.Thread(target=_copy, args=copy, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket, keep: Callable[[bytes], Any]) -> None:
    with suppress(OSError):  # one of the two has left
        while part := source.recv(65_536):
            keep(part)
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tap(url: str) -> Iterator[Tap]:
    found = Tap(url)
    threading.Thread(target=found.run, daemon=True).start()
    with found.listener:
        yield found
    for each in found.opened:
        each.close()


def played() -> tuple[list[bytes], bytes, Any]:
    """Run all SDKs in a new double; return what they received, the journal, and their ids."""
    with running_double() as double, tap(double.url) as found:
        client = Client(double.url, "scenario")
        client.namespaces.create("scenario", now=NOON, ids="x")
        variables = Environment(found.url, "scenario").variables()
        made = sdk_script.run_here(SCRIPT, env=variables)
        mobile = Environment(found.url, "scenario").mobilenext
        made.append(sdk_script.run_node(DRIVER, mobile.url, "lifecycle"))
        return [bytes(each) for each in found.received], client.api.send("GET", "journal"), made


def test_all_sdks_receive_the_same_bytes_in_two_runs() -> None:
    first, second = played(), played()
    assert sum(part.count(b"HTTP/1.1 20") for part in first[0]) > 15
    assert b"Sessionary-Request-Id" in first[0][0]
    assert first == second


def start(double: Client) -> str:
    """Start a session in the client's namespace; return its id."""
    path, headers = "/notte/session/start", {"Sessionary-Namespace": double.namespace, **WHO}
    answer = double.transport("POST", path, {"Content-Type": "application/json"} | headers, b"{}")
    return str(json.loads(answer.content)["session_id"])


@pytest.fixture
def client() -> Iterator[Client]:
    with Server() as server:
        yield server.client


def test_a_fork_and_a_snapshot_go_on_with_the_ids_and_a_reset_starts_them_again(
    client: Client,
) -> None:
    client.namespaces.create("a", now=NOON, ids="x")
    namespace = client.for_namespace("a")
    first = start(namespace)
    client.namespaces.fork("b", name="a")
    client.namespaces.restore(client.namespaces.snapshot("a"), "c")
    second = start(namespace)
    assert second != first
    assert [start(client.for_namespace(name)) for name in "bc"] == [second, second]
    client.namespaces.reset("a")
    assert [start(namespace), start(namespace)] == [first, second]


def test_ids_do_not_depend_on_the_number_of_reads(client: Client) -> None:
    for name in "ab":
        client.namespaces.create(name, ids="x")
    path, headers = "/notte/sessions", {"Sessionary-Namespace": "a", **WHO}
    assert client.transport("GET", path, headers, None).status == 200
    assert start(client.for_namespace("a")) == start(client.for_namespace("b"))


def test_a_namespace_that_begins_at_an_instant_holds_nothing_younger(client: Client) -> None:
    client.namespaces.create("a", now=NOON)
    headers = {"Sessionary-Namespace": "a", "Authorization": "Bearer gsk_1"}
    version = client.transport("GET", "/galtea/versions/v1", headers, None)
    assert json.loads(version.content)["createdAt"] == "2026-03-01T12:00:00.000Z"


def test_a_double_seeds_the_ids_of_all_its_namespaces() -> None:
    made = []
    for _ in range(2):
        with running_double("--ids-seed", "x") as double:
            client = Client(double.url)
            names = [client.namespaces.create()["name"]]
            client.namespaces.reset()  # the same names again, of which one is taken
            names.append(client.namespaces.create()["name"])
            ids = [start(client.for_namespace(name)) for name in ["default", *names]]
            made.append([*names, *ids])
    assert made[0] == made[1]
    assert len(set(names)) == 2
    assert ids[1] == ids[2]


def test_a_server_refuses_a_seed_of_ids() -> None:
    refused = run_command(COMMAND, "serve", "--ids-seed", "x", "--db", ":memory:")
    assert refused.returncode == 2
    assert refused.stderr == (
        "Error: --ids-seed is for a double, not for a server (its keys could be guessed): "
        "remove it\n"
    )


def test_a_server_on_the_file_of_a_double_makes_random_ids(tmp_path: Path) -> None:
    file = str(tmp_path / "double.sqlite3")
    with running_double("--db", file, "--ids-seed", "x") as double:
        start(Client(double.url))
        double.stop()
    with running_server("--db", file):
        pass
    with closing(sqlite3.connect(file)) as found:
        assert found.execute("SELECT seed FROM mint").fetchall() == [(None,)]
