"""One table of unusual HTTP, which a server and a double answer alike."""

import json
import resource
import select
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.processes import Process, running_double, running_gunicorn, running_server
from tests.raw_http import RawConnection, connect, send_and_read

AUTH = b"Host: here\r\nAuthorization: Bearer anyone\r\nContent-Type: application/json\r\n"
BODY = AUTH + b"Content-Length: 2\r\n\r\n{}"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
HOST = b"Host: here\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\n" + HOST

# The request, the status, and whether the connection is kept.
CASES = {
    "two slashes": (b"POST //session/start HTTP/1.1\r\n" + BODY, 404, True),
    "an absolute form": (b"POST http://there.example/session/start HTTP/1.1\r\n" + BODY, 200, True),
    "an encoded slash": (b"POST /session%2Fstart HTTP/1.1\r\n" + BODY, 200, True),
    "a fragment": (b"GET /health#part HTTP/1.1\r\n" + HOST, 200, True),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST, 404, True),
    "a tunnel": (b"CONNECT here:80 HTTP/1.1\r\n" + HOST, 404, False),
    "a method in lower case": (b"get /health HTTP/1.1\r\n" + HOST, 400, False),
    "a raw byte in the path": (b"GET /h\xc3\xa9alth HTTP/1.1\r\n" + HOST, 400, False),
    "an empty line": (b"\r\n\r\n" + HEALTH, 400, False),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", 400, False),
    "an empty host": (b"GET /health HTTP/1.1\r\nHost:\r\n\r\n", 400, False),
    "a host with a blank": (b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400, False),
    "a host with a user": (b"GET /health HTTP/1.1\r\nHost: a@here\r\n\r\n", 400, False),
    "a host with a path": (b"GET /health HTTP/1.1\r\nHost: here/a\r\n\r\n", 400, False),
    "a port of letters": (b"GET /health HTTP/1.1\r\nHost: here:http\r\n\r\n", 400, False),
    "an IPv6 host": (b"GET /health HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200, True),
    "a TLS handshake": (b"\x16\x03\x01\x02\x00\x01\x00", 400, False),
    "no version": (b"GET /health\r\n\r\n", 400, False),
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", 200, False),
    "HTTP/1.0, kept": (b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, True),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, False),
    "an unknown expectation": (
        b"POST /session/start HTTP/1.1\r\nExpect: a miracle\r\n" + BODY,
        417,
        False,
    ),
    "chunks": (
        b"POST /session/start HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + AUTH + b"\r\n" + CHUNKS,
        200,
        True,
    ),
    "a coding without chunks": (
        b"POST /session/start HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + AUTH + b"\r\n",
        400,
        False,
    ),
    "a coding before the chunks": (
        b"POST /session/start HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n"
        + AUTH
        + b"\r\n"
        + CHUNKS,
        501,
        False,
    ),
    "a URL of 60 KB": (b"GET /health?%s HTTP/1.1\r\n" % (b"x" * 60_000) + HOST, 200, True),
    "a URL over 64 KB": (b"GET /health?%s HTTP/1.1\r\n" % (b"x" * 66_000) + HOST, 414, False),
    "101 headers": (b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431, False),
}


@pytest.fixture(scope="module", params=["serve", "double", "gunicorn"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    db = str(tmp_path_factory.mktemp("edge_cases") / "test.sqlite3")
    running = {
        "serve": running_server("--db", db, "--auth", "lenient"),
        "double": running_double(),
        "gunicorn": running_gunicorn(SESSIONARY_DB=db, SESSIONARY_AUTH="lenient"),
    }
    with running[request.param] as process:
        yield process


@pytest.mark.parametrize(("request_", "status", "is_kept"), CASES.values(), ids=CASES)
def test_unusual_http_is_answered_alike(
    server: Process, request_: bytes, status: int, is_kept: bool
) -> None:
    first, *rest = send_and_read(server.url, request_ + HEALTH)
    assert first.status == status
    assert [each.status for each in rest] == ([200] if is_kept else [])
    assert first.headers["connection"] == ("keep-alive" if is_kept else "close")
    if is_kept:
        assert json.loads(first.body)


# The start of a request that cannot be read, by the keys of its answer: the vendor's own.
TOLD = {
    b"POST /session/start HTTP/1.1\r\n": {"detail"},
    b"GET http://there.example/notte/sessions HTTP/1.1\r\n": {"detail"},
    b"GET /v4/sessions?a=b HTTP/1.1\r\n": {"detail"},
    b"GET /~t1/galtea/sessions HTTP/1.1\r\n": {"error", "message"},
    b"GET /api/v1/sessions HTTP/1.1\r\n": {"error"},
    b"GET /livez HTTP/1.1\r\n": None,
    b"GET /nowhere HTTP/1.1\r\n": None,
}
UNREADABLE = {
    400: (b"", b"Content-Length: x\r\n"),
    417: (b"", b"Expect: a miracle\r\n"),
    431: (b"", b"X: y\r\n" * 101),
    414: (b"/" + b"x" * 66_000, b""),
}


@pytest.mark.parametrize(("status", "with_"), UNREADABLE.items(), ids=map(str, UNREADABLE))
@pytest.mark.parametrize(("start", "keys"), TOLD.items(), ids=map(str, TOLD))
def test_a_request_that_cannot_be_read_is_refused_in_the_vendors_words(
    server: Process,
    start: bytes,
    keys: set[str] | None,
    status: int,
    with_: tuple[bytes, bytes],
) -> None:
    more_of_url, fields = with_
    target, version = start.rsplit(b" ", 1)
    (refused,) = send_and_read(server.url, target + more_of_url + b" " + version + fields + HOST)
    assert (refused.status, refused.headers["connection"]) == (status, "close")
    if keys is None or (keys == {"error", "message"} and is_server(server)):
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.body
    else:
        assert json.loads(refused.body).keys() == keys


def is_server(process: Process) -> bool:
    """Whether it has no other namespaces, so that no surface has a path under `/~name`."""
    return "double" not in list(process.popen.args)  # type: ignore[arg-type]


def test_a_request_that_cannot_be_read_is_recorded_where_its_namespace_can_be_told() -> None:
    bad = b"Content-Length: x\r\nHost: here\r\n\r\n"
    slashes = b"POST //session/start HTTP/1.1\r\n" + BODY
    with running_double() as double:
        fault = {"surface": "notte", "preset": "overloaded"}
        for name in ("t1", "t2", "t3"):
            assert double.request("POST", f"/~{name}/_control/v1/faults", fault)[0] == 201
        key = b"Authorization: Bearer sk-notte-ns-t2-secretsecret\r\n"
        header = b"Sessionary-Namespace: t3\r\n"
        for sent in (
            b"POST /~t1/session/start?a=b HTTP/1.1\r\n" + bad,
            b"POST /session/start HTTP/1.1\r\n" + key + bad,
            b"POST /session/start HTTP/1.1\r\n" + header + bad,
            b"POST /~unknown/session/start HTTP/1.1\r\n" + key + bad,
        ):
            assert [each.status for each in send_and_read(double.url, sent)] == [400]
        for line in (b"Authorization Bearer secretsecret", b"Bearer secretsecret: x"):
            (refused,) = send_and_read(
                double.url, b"GET /notte/a HTTP/1.1\r\n" + line + b"\r\n" + bad
            )
            assert refused.status == 400
            assert b"secretsecret" not in refused.body
        assert [each.status for each in send_and_read(double.url, slashes)] == [404]
        for name in ("t1", "t2", "t3"):
            _, journal = double.request("GET", f"/~{name}/_control/v1/journal")
            (call,) = journal["calls"]
            assert (call["surface"], call["path"], call["status"]) == (
                "notte",
                "/session/start",
                400,
            )
            assert call["fault"] is None
            assert "secretsecret" not in json.dumps(call)
            assert call["response"]["detail"] == "Invalid HTTP Header: 'CONTENT-LENGTH'"
        _, journal = double.request("GET", "/_control/v1/journal")
        assert [each["path"] for each in journal["calls"]] == ["/a", "/a", "//session/start"]
        _, found = double.request("GET", "/_control/v1/namespaces")
        assert found["namespaces"] == ["default", "t1", "t2", "t3"]


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open a connection for each of a thousand clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_idle_connections_are_kept_and_delay_no_other_client(server: Process) -> None:
    half_a_body = b"POST /session/start HTTP/1.1\r\n" + AUTH + b"Content-Length: 2\r\n\r\n{"
    with ExitStack() as stack:
        idle = select.poll()
        for part in (b"", b"G", HEALTH[:-2], half_a_body):
            for _ in range(250):
                client = stack.enter_context(connect(server.url))
                client.send(part)
                idle.register(client.socket, select.POLLIN)
        for _ in range(10):
            assert server.request("GET", "/health")[0] == 200
        assert idle.poll(0) == []


def post(server: Process, path: str, body: dict[str, str]) -> None:
    headers = {"Authorization": "Bearer secret"}
    assert server.request("POST", path, body, **headers)[0] == 201


@pytest.mark.parametrize("kind", ["serve", "double"])
def test_two_hundred_held_calls_delay_no_other_and_a_stop_ends_them(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    start = b"POST /session/start HTTP/1.1\r\n" + BODY
    db = str(tmp_path_factory.mktemp("held") / "test.sqlite3")
    secret = {"SESSIONARY_CONTROL_TOKEN": "secret"}
    running = (
        running_double(**secret)
        if kind == "double"
        else running_server("--db", db, "--auth", "lenient", "--control", **secret)
    )
    with running as server, ExitStack() as stack:
        fault = {"surface": "notte", "route": "/session/start", "kind": "latency", "delay": "10m"}
        post(server, "/_control/v1/faults", fault)
        held = [stack.enter_context(connect(server.url)) for _ in range(200)]
        for client in held:
            client.send(start)
        wait_for_hits(server, 200)
        other = b"POST /sessions/start HTTP/1.1\r\n" + BODY
        assert [each.status for each in send_and_read(server.url, other)] == [200]
        assert [each for each in held if is_readable(each)] == []
        server.popen.terminate()
        assert [client.expect_response().status for client in held] == [200] * 200
        stack.close()
        assert server.stop() == 0


def wait_for_hits(server: Process, count: int) -> None:
    """Wait until the fault has hit so many calls."""
    who = {"Authorization": "Bearer secret"}
    while True:
        _, page = server.request("GET", "/_control/v1/faults", **who)
        if page["faults"][0]["hit_count"] == count:
            return


def is_readable(client: RawConnection) -> bool:
    return bool(select.select([client.socket], [], [], 0)[0])
