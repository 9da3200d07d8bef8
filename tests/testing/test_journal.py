"""Assertions about recorded calls, and their failure messages."""

from collections.abc import Callable, Iterator

import pytest
import requests

from sessionary.testing import Namespace, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def namespace(server: Server) -> Iterator[Namespace]:
    namespace = server.namespace(now="2026-03-01T12:00:00Z")
    yield namespace
    namespace.drop()


def post(namespace: Namespace, path: str, body: object = None) -> None:
    who = {"Authorization": f"Bearer {namespace.notte.key}"}
    requests.post(namespace.notte.url + path, json=body, headers=who, timeout=10)


def failure_lines(assertion: Callable[[], object]) -> list[str]:
    """Return the lines of a failing assertion's message."""
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value).splitlines()


def test_calls_are_found_by_route_by_path_and_by_path_with_prefix(
    namespace: Namespace,
) -> None:
    post(namespace, "/sessions/start", {})
    (session,) = namespace.sessions()
    who = {"Authorization": f"Bearer {namespace.notte.key}"}
    path = f"/sessions/{session['id']}"
    requests.get(namespace.notte.url + path, headers=who, timeout=10)
    for wanted in ("/sessions/{session_id}", path, f"/notte{path}"):
        (call,) = namespace.journal.assert_called("GET", wanted, times=1)
        assert call["session"] == session["id"]


def test_a_body_may_have_more_members_than_expected(namespace: Namespace) -> None:
    post(namespace, "/session/start", {"session_timeout_minutes": 5, "headless": True})
    post(namespace, "/session/start", {"session_timeout_minutes": 6})
    for times, body in ((1, {"session_timeout_minutes": 5}), (2, {}), (1, {"headless": True})):
        found = namespace.journal.assert_called("POST", "/session/start", times=times, json=body)
        assert len(found) == times
    namespace.journal.assert_called("POST", "/session/start")
    namespace.journal.assert_not_called("POST", "/session/close")


def test_a_failure_lists_the_differences_of_a_similar_body(namespace: Namespace) -> None:
    post(namespace, "/session/start", {"session_timeout_minutes": 5})
    wanted = {"session_timeout_minutes": 6, "headless": True}
    lines = failure_lines(
        lambda: namespace.journal.assert_called("POST", "/session/start", json=wanted)
    )
    assert lines == [
        f"POST /session/start with json={wanted!r}: expected at least once, called never",
        "closest calls:",
        "  2026-03-01T12:00:00.000000Z  notte: POST /session/start "
        '{"session_timeout_minutes": 5} -> 200',
        "    /session_timeout_minutes is 5, expected 6",
        "    /headless is missing, expected True",
    ]


def test_a_failure_lists_the_closest_path_or_method_first(namespace: Namespace) -> None:
    post(namespace, "/session/close", {})
    post(namespace, "/sessions/start", {})
    lines = failure_lines(lambda: namespace.journal.assert_called("POST", "/session/start"))
    assert lines[3] == "    path is /sessions/start, expected /session/start"
    assert lines[5] == "    path is /session/close, expected /session/start"
    lines = failure_lines(lambda: namespace.journal.assert_called("GET", "/sessions/start"))
    assert lines[3] == "    method is POST, expected GET"


@pytest.mark.parametrize(
    ("times", "expected"), [(0, "never"), (1, "once"), (3, "3 times")], ids=str
)
def test_a_failure_says_how_often_it_was_called_and_lists_the_calls(
    namespace: Namespace, times: int, expected: str
) -> None:
    post(namespace, "/session/start", {})
    post(namespace, "/session/start", {})
    lines = failure_lines(
        lambda: namespace.journal.assert_called("POST", "/session/start", times=times)
    )
    assert lines[0] == f"POST /session/start: expected {expected}, called twice"
    assert [line[:9] for line in lines[1:]] == ["  called:"] * 2


def test_a_failure_lists_calls_that_only_a_filter_excludes(namespace: Namespace) -> None:
    post(namespace, "/session/start", {})
    lines = failure_lines(
        lambda: namespace.journal.assert_called("POST", "/session/start", status=404)
    )
    assert lines[0] == "POST /session/start with status=404: expected at least once, called never"
    assert lines[2].endswith("POST /session/start {} -> 200")


def test_a_failure_without_calls_says_where_to_look(server: Server, namespace: Namespace) -> None:
    lines = failure_lines(lambda: namespace.journal.assert_called("POST", "/session/start"))
    assert lines[1].startswith("no call reached this namespace: does the client use its url")
    requests.post(f"{server.url}/session/start", headers={"Authorization": "Bearer x"}, timeout=10)
    lines = failure_lines(lambda: namespace.journal.assert_called("POST", "/session/start"))
    assert lines[2] == "(the default namespace was called once)"
    server.client.journal.clear()


def test_a_call_shows_the_fault_that_hit_it(namespace: Namespace) -> None:
    namespace.faults.add("notte", status=503, times=1)
    post(namespace, "/session/start", {})
    lines = failure_lines(lambda: namespace.journal.assert_not_called("POST", "/session/start"))
    assert lines[1].endswith("POST /session/start {} -> 503 by fault 1")


@pytest.mark.parametrize(
    ("expected", "actual", "differences"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["/a/1/b is 3, expected 2"]),
        ({"a": [1]}, {"a": [1, 2]}, ["/a is [1, 2], expected [1]"]),
        ({"a": 1}, "text", ["the body is 'text', expected {'a': 1}"]),
        ({"a": 1}, {"a": True}, ["/a is True, expected 1"]),
        ({"a": None}, {}, ["/a is missing, expected None"]),
        ({"a": {}}, {"a": {"b": 1}}, []),
    ],
    ids=str,
)
def test_the_diff_lists_each_place_where_the_actual_body_lacks_something(
    expected: object, actual: object, differences: list[str]
) -> None:
    from sessionary.testing.json_diff import json_diff

    assert list(json_diff(expected, actual)) == differences
