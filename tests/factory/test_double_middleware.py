"""Namespaces that calls create: by admitted calls only, and never by a web page."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.processes import COMMAND, Process, run_command, running_double
from tests.raw_http import send_and_read

NOTTE = {"Authorization": "Bearer sk-notte-1"}
FORM = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
FAULT = {"surface": "notte", "preset": "overloaded"}
EXPLAINED = {"method": "POST", "path": "/notte/session/start", "headers": NOTTE, "body": {}}


@pytest.fixture(scope="module")
def shared() -> Iterator[Process]:
    with running_double() as process:
        yield process


@pytest.fixture
def double(shared: Process) -> Process:
    for name in names(shared)[1:]:
        assert shared.request("DELETE", f"/_control/v1/namespaces/{name}") == (204, None)
    return shared


def names(double: Process) -> list[str]:
    """The names of all namespaces; the first is `default`."""
    _, found = double.request("GET", "/_control/v1/namespaces")
    return list(found["namespaces"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/health", {}, None, 200),
        ("GET", "/notte/openapi.json", {}, None, 200),
        ("GET", "/_control/v1/openapi.json", {}, None, 200),
        ("GET", "/livez", {}, None, 404),
        ("GET", "/nowhere", {}, None, 404),
        ("GET", "/notte/nowhere", {}, None, 401),
        ("GET", "/notte/sessions", {}, None, 401),
        ("GET", "/notte/sessions", NOTTE | {"Sessionary-At": "+1h"}, None, 200),
        ("GET", "/notte/sessions/unknown", NOTTE | {"Sessionary-At": "+1h"}, None, 404),
        ("POST", "/notte/session/start", NOTTE | {"Sessionary-At": "+1h"}, {}, 400),
        ("GET", "/notte/sessions", {"Authorization": "Basic eDp5"}, None, 401),
        ("OPTIONS", "/notte/sessions", {"Origin": "https://evil.example"}, None, 403),
        ("POST", "/notte/session/start", FORM, {}, 403),
        ("POST", "/notte/session/start", NOTTE | {"Host": "evil.example"}, {}, 403),
        ("POST", "/notte/session/start", {"Content-Length": "99999999"}, None, 401),
        ("GET", "/galtea/sessions", {"Authorization": "Bearer other"}, None, 401),
        ("GET", "/_control/v1/clock", {}, None, 404),
        ("GET", "/_control/v1/sessions", {}, None, 404),
        ("GET", "/_control/v1/nowhere", {}, None, 404),
        ("POST", "/_control/v1/clock/advance", FORM, {"by": "1h"}, 403),
        ("POST", "/_control/v1/clock/advance", {}, {"by": "nonsense"}, 400),
        ("DELETE", "/_control/v1/journal", {}, None, 404),
        ("POST", "/_control/v1/requests/explain", {}, EXPLAINED, 404),
        ("POST", "/_control/v1/namespaces/x1/seed", {}, {"nonsense": []}, 404),
    ],
)
def test_an_open_or_refused_call_and_a_read_create_no_namespace(
    double: Process, method: str, path: str, headers: dict[str, str], body: object, status: int
) -> None:
    for _ in range(2):
        assert double.request(method, f"/~x1{path}", body, **headers)[0] == status
    named = headers | {"Sessionary-Namespace": "x2"}
    if path != "/livez":
        assert double.request(method, path, body, **named)[0] == status
    assert names(double) == ["default"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/notte/sessions", NOTTE, None, 200),
        ("POST", "/notte/session/start", NOTTE, {}, 200),
        ("POST", "/notte/session/start", NOTTE, {"session_timeout_minutes": "x"}, 400),
        ("POST", "/v4/sessions", {"x-api-key": "key"}, {"title": "t"}, 422),
        ("GET", "/notte/sessions/unknown", NOTTE, None, 404),
        ("POST", "/_control/v1/faults", {}, FAULT, 201),
        ("POST", "/_control/v1/clock/advance", {}, {"by": "1h"}, 200),
    ],
)
def test_an_admitted_vendor_call_and_a_change_create_the_namespace(
    double: Process, method: str, path: str, headers: dict[str, str], body: object, status: int
) -> None:
    assert double.request(method, f"/~x1{path}", body, **headers)[0] == status
    assert names(double) == ["default", "x1"]
    _, journal = double.request("GET", "/~x1/_control/v1/journal")
    assert [each["status"] for each in journal["calls"]] == ([status] if headers else [])


@pytest.mark.parametrize(
    ("prefix", "key"),
    [("/~x1@+1h", "any"), ("", "sk-notte-ns-x1@+1h-any"), ("/~x1@rubbish", "any")],
)
def test_an_instant_in_a_path_or_key_creates_no_namespace(
    double: Process, prefix: str, key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    status = double.request("GET", f"{prefix}/notte/sessions", **headers)[0]
    assert status == (422 if "rubbish" in prefix else 200)
    assert names(double) == ["default"]


def test_a_chunked_body_reaches_the_namespace_that_it_creates(double: Process) -> None:
    head = (
        b"POST /~x1/session/start HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer anyone\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = b'{"session_timeout_minutes": 7}'
    (answer,) = send_and_read(double.url, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
    assert answer.status == 200
    assert b'"timeout_minutes":7' in answer.body


def test_first_calls_at_once_share_one_namespace(double: Process) -> None:
    def start(_: int) -> int:
        return double.request("POST", "/~x1/notte/session/start", {}, **NOTTE)[0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(start, range(32))) == [200] * 32
    _, page = double.request("GET", "/~x1/_control/v1/sessions")
    assert len(page["sessions"]) == 32


def test_a_refusal_in_an_unknown_namespace_links_to_no_journal(double: Process) -> None:
    refused = b"GET /~%s/notte/sessions HTTP/1.1\r\nHost: here\r\n\r\n"
    (unknown,) = send_and_read(double.url, refused % b"x1")
    (known,) = send_and_read(double.url, refused % b"default")
    assert (unknown.status, known.status) == (401, 401)
    assert "link" in known.headers
    assert "link" not in unknown.headers


def test_header_or_path_come_before_the_key_and_must_not_name_different_namespaces(
    double: Process,
) -> None:
    key = {"Authorization": "Bearer sk-notte-ns-x3-secret"}
    header = key | {"Sessionary-Namespace": "x2"}
    for path, headers in (("/~x1", key), ("", header), ("/~x2", header), ("", key)):
        assert double.request("POST", f"{path}/notte/session/start", {}, **headers)[0] == 200
    _, refused = double.request("POST", "/~x1/notte/session/start", {}, **header)
    assert refused == {"detail": "The path names the namespace 'x1', the header 'x2': send one."}
    counts = {
        name: len(double.request("GET", f"/~{name}/_control/v1/sessions")[1]["sessions"])
        for name in names(double)
    }
    assert counts == {"default": 0, "x1": 1, "x2": 2, "x3": 1}


def test_a_read_of_an_unknown_namespace_says_a_near_name(double: Process) -> None:
    double.request("POST", "/_control/v1/namespaces", {"name": "checkout"})
    status, problem = double.request("GET", "/~chekout/_control/v1/sessions")
    message = "there is no namespace 'chekout': did you mean checkout?"
    assert (status, problem["detail"]) == (404, message)
    for command in ("sessions", "timeline", "journal", "faults", "clock"):
        done = run_command(COMMAND, command, "--ns", "chekout", "--url", double.url)
        assert (done.returncode, done.stderr) == (1, f"Error: {message}\n")
    assert names(double) == ["default", "checkout"]


def test_a_token_is_asked_for_before_a_namespace_is_looked_up() -> None:
    with running_double(SESSIONARY_CONTROL_TOKEN="hush") as double:
        assert double.request("GET", "/~x1/_control/v1/clock")[0] == 401
        assert double.request("POST", "/~x1/_control/v1/clock/advance", {"by": "1h"})[0] == 401
        who = {"Authorization": "Bearer hush"}
        assert double.request("GET", "/~x1/_control/v1/clock", **who)[0] == 404
        _, found = double.request("GET", "/_control/v1/namespaces", **who)
        assert found["namespaces"] == ["default"]
