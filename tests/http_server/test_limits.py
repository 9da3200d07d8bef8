"""Limits: hostile clients do not keep the server from answering the others."""

import json
import resource
import select
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from sessionary.http_server.connection import Connection
from sessionary.http_server.limits import Limits, WaitingConnections
from sessionary.http_server.parser_config import ParserConfig
from tests.processes import (
    COMMAND,
    TIMEOUT_SECONDS,
    Process,
    clean_environment,
    running_process,
    running_server,
)
from tests.raw_http import CHUNKED, HEAD, HEALTH, RawConnection

MEGABYTE = 1024 * 1024

Log = Callable[[], str]


@contextmanager
def logging(db: str, *options: str) -> Iterator[tuple[Process, Log]]:
    """Run a server; gives it and a function that reads its log."""
    path = Path(f"{db}.log")
    command = [COMMAND, "serve", "--port", "0", "--db", db, *options]
    with path.open("w") as log, running_process(command, clean_environment(), log) as server:
        yield server, path.read_text


@contextmanager
def connected(server: Process, count: int = 1) -> Iterator[list[RawConnection]]:
    with ExitStack() as stack:
        made = [RawConnection(server.url) for _ in range(count)]
        for each in made:
            stack.callback(each.close)
        yield made


def is_served(server: Process) -> bool:
    return server.request("GET", "/health")[0] == 200


def is_closed(client: RawConnection) -> bool:
    client.socket.settimeout(0.01)
    try:
        return client.socket.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    finally:
        client.socket.settimeout(TIMEOUT_SECONDS)


def test_many_pipelined_requests_do_not_delay_other_clients(db: str) -> None:
    first = b"GET /health HTTP/1.1\r\nHost: here\r\nX-Request-Id: greedy\r\n\r\n"
    other = b"GET /health HTTP/1.1\r\nHost: here\r\nX-Request-Id: modest\r\n\r\n"
    count = 65_536 // len(first)
    with (
        logging(db, "--auth", "lenient") as (server, log),
        connected(server, 2) as (greedy, modest),
    ):
        greedy.send(first * count)
        greedy.expect_response()
        modest.send(other)
        modest.expect_response()
        for _ in range(count - 1):
            greedy.expect_response()
        ids = [line.rpartition("request=")[2] for line in log().splitlines()]
    assert ids.count("greedy") == count
    assert ids.index("modest") < count


@pytest.mark.parametrize("ahead", [HEALTH, HEAD + b"Content-Length: 30\r\n\r\n{"])
def test_a_worker_without_free_file_descriptors_keeps_serving(db: str, ahead: bytes) -> None:
    with running_server("--db", db, "--auth", "lenient") as server:
        assert is_served(server)
        (worker,) = server.workers()
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (60, 60))
        with connected(server, 200) as clients:
            for client in clients[:30]:
                with suppress(ConnectionError):
                    client.send(ahead)
            assert all(is_served(server) for _ in range(5))
        assert server.workers() == [worker]


def test_silent_connections_are_dropped_first_when_there_are_too_many(db: str) -> None:
    few_files = ["sh", "-c", 'ulimit -n 180; exec "$@"', "sh"]  # leaves 76 connections
    command = [*few_files, COMMAND, "serve", "--port", "0", "--db", db, "--threads", "1"]
    with running_process(command, clean_environment()) as server, connected(server) as (honest,):
        honest.send(HEALTH)
        assert honest.expect_response().status == 200
        with connected(server, 100) as silent:
            assert all(is_served(server) for _ in range(5))
            assert any(is_closed(each) for each in silent)
        honest.send(HEALTH)
        assert honest.expect_response().status == 200


def test_a_client_cannot_keep_a_finished_connection_by_sending_on(db: str) -> None:
    options = ("--db", db, "--auth", "lenient", "--client-timeout-seconds", "1")
    with running_server(*options) as server, connected(server) as (client,):
        client.send(b"GET /health HTTP/1.0\r\n\r\n")
        assert client.expect_response().status == 200
        client.read.read()  # the server has shut down its side
        with pytest.raises(ConnectionError):
            keep_sending(client)


def keep_sending(client: RawConnection) -> None:
    """Send a byte every tenth of a second."""
    reset = select.poll()
    reset.register(client.socket, select.POLLERR)
    for _ in range(10 * TIMEOUT_SECONDS):
        client.socket.sendall(b"x")
        reset.poll(100)


def test_a_body_that_is_refused_unread_occupies_no_thread(db: str) -> None:
    with running_server("--db", db, "--threads", "1") as server, connected(server, 5) as clients:
        for client in clients:
            client.send(CHUNKED)
        assert [client.expect_response().status for client in clients] == [401] * 5
        # a thread would wait for the body for 60 s, this test waits for 30
        clients[0].read_to_end()


def test_an_upgrade_offer_occupies_no_thread(db: str) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    options = ("--db", db, "--auth", "lenient", "--threads", "1")
    with running_server(*options) as server, connected(server, 2) as (slow, other):
        slow.send(CHUNKED + b"5\r\n{")
        assert is_served(server)
        other.send(b"GET /health HTTP/1.1\r\nHost: here\r\n" + offer + b"\r\n")
        assert other.expect_response().status == 200


def test_a_malformed_rest_of_a_body_gets_no_second_response(db: str) -> None:
    with running_server("--db", db) as server, connected(server) as (client,):
        client.send(CHUNKED)
        assert client.expect_response().status == 401
        client.send(b"zz\r\n")
        assert client.read_to_end() == b""


def test_unfinished_bodies_share_a_memory_limit(db: str) -> None:
    head = HEAD + b"Content-Length: %d\r\n\r\n" % (4 * MEGABYTE)
    with (
        running_server("--db", db, "--auth", "lenient") as server,
        connected(server, 40) as clients,
    ):
        for client in clients:
            client.send(head)
            client.send(b" " * (4 * MEGABYTE - 1))
            assert is_served(server)
        kept = [client for client in clients if not is_closed(client)]
        assert 1 <= len(kept) <= 16
        kept[-1].send(b" ")
        assert kept[-1].expect_response().status == 400


def test_large_bodies_that_come_at_once_are_received_one_after_another(db: str) -> None:
    body = b"{}" + b" " * (4 * MEGABYTE - 2)
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with (
        running_server("--db", db, "--auth", "lenient") as server,
        connected(server, 40) as clients,
        ThreadPoolExecutor(len(clients)) as pool,
    ):
        for sending in [pool.submit(client.send, request) for client in clients]:
            sending.result()
        assert {client.expect_response().status for client in clients} == {200}


@pytest.mark.parametrize("length", [100_000, 4 * MEGABYTE])
def test_a_long_unread_body_keeps_the_connection(db: str, length: int) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % length
    with running_server("--db", db) as server, connected(server) as (client,):
        for _ in range(2):
            client.send(head + b" " * length)
            assert client.expect_response().status == 404
        client.send(HEALTH)
        assert client.expect_response().status == 200


def test_a_body_over_the_limit_closes_the_connection_without_an_error_in_the_log(db: str) -> None:
    with logging(db, "--auth", "lenient") as (server, log), connected(server) as (client,):
        client.send(HEAD + b"Content-Length: 4194305\r\n\r\n")
        refused = client.expect_response()
        assert (refused.status, refused.headers["connection"]) == (413, "close")
        assert client.read_to_end() == b""
        assert server.stop() == 0
        assert len(log().splitlines()) == 1


def test_a_content_length_may_have_leading_zeros(db: str) -> None:
    body = b'{"session_timeout_minutes": 7}'
    with running_server("--db", db, "--auth", "lenient") as server, connected(server) as (client,):
        client.send(HEAD + b"Content-Length: %020d\r\n\r\n" % len(body))
        assert is_served(server)
        client.send(body)
        assert json.loads(client.expect_response().body)["timeout_minutes"] == 7


def test_a_complete_head_over_64_kb_is_refused(db: str) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 8000) for number in range(9))
    with running_server("--db", db) as server, connected(server) as (client,):
        with suppress(ConnectionError):
            client.send(b"GET /health HTTP/1.1\r\nHost: here\r\n" + fields + b"\r\n")
        assert client.expect_response().status == 431


def test_the_oldest_unread_response_is_dropped_where_they_hold_too_much_together() -> None:
    limits = Limits(threads=1, max_connections=16, max_body_bytes=1000, client_timeout_seconds=30)
    waiting, response = WaitingConnections(limits), [bytes(20 * 1024 * 1024)]
    with ExitStack() as stack:
        connections = []
        for _ in range(4):
            sock, _ = (stack.enter_context(each) for each in socket.socketpair())
            connections.append(Connection(sock, ("192.0.2.1", 4711), ParserConfig()))
        small, *large = connections
        small.put([b"small"], None)
        waiting.add(small)
        dropped = []
        for each in large:
            each.put(response, None)
            dropped.append(waiting.over_memory(each))
            waiting.add(each)
        assert dropped == [None, None, large[0]]
        assert waiting.over_memory(small) is None
