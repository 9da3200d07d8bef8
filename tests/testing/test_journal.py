"""Assertions about what was called, and what they say when they fail."""

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


def said(assertion: Callable[[], object]) -> list[str]:
    """The lines of what a failing assertion says."""
    with pytest.raises(AssertionError) as caught:
        assertion()
    return str(caught.value).splitlines()


def test_calls_are_found_by_route_by_path_and_with_the_surface_s_prefix(
    namespace: Namespace,
) -> None:
    post(namespace, "/sessions/start", {})
    (session,) = namespace.sessions()
    who = {"Authorization": f"Bearer {namespace.notte.key}"}
    path = f"/sessions/{session['id']}"
    requests.get(namespace.notte.url + path, headers=who, timeout=10)
    for asked in ("/sessions/{session_id}", path, f"/notte{path}"):
        (call,) = namespace.journal.assert_called("GET", asked, times=1)
        assert call["session"] == session["id"]


def test_a_body_matches_by_what_it_has_to_contain(namespace: Namespace) -> None:
    post(namespace, "/session/start", {"session_timeout_minutes": 5, "headless": True})
    post(namespace, "/session/start", {"session_timeout_minutes": 6})
    for times, body in ((1, {"session_timeout_minutes": 5}), (2, {}), (1, {"headless": True})):
        found = namespace.journal.assert_called("POST", "/session/start", times=times, json=body)
        assert len(found) == times
    namespace.journal.assert_called("POST", "/session/start")
    namespace.journal.assert_not_called("POST", "/session/close")


def test_a_body_that_is_nearly_right_is_told_place_by_place(namespace: Namespace) -> None:
    post(namespace, "/session/start", {"session_timeout_minutes": 5})
    wanted = {"session_timeout_minutes": 6, "headless": True}
    told = said(lambda: namespace.journal.assert_called("POST", "/session/start", json=wanted))
    assert told == [
        f"expected POST /session/start to be called at least once with json={wanted!r}, it was not",
        "near misses:",
        "  2026-03-01T12:00:00.000000Z  notte: POST /session/start "
        '{"session_timeout_minutes": 5} -> 200',
        "    /session_timeout_minutes is 5, expected 6",
        "    /headless is missing, expected True",
    ]


def test_another_path_or_method_is_told_the_nearest_first(namespace: Namespace) -> None:
    post(namespace, "/session/close", {})
    post(namespace, "/sessions/start", {})
    told = said(lambda: namespace.journal.assert_called("POST", "/session/start"))
    assert told[3] == "    the path is /sessions/start, not /session/start"
    assert told[5] == "    the path is /session/close, not /session/start"
    told = said(lambda: namespace.journal.assert_called("GET", "/sessions/start"))
    assert told[3] == "    the method is POST, not GET"


@pytest.mark.parametrize(
    ("times", "expected"), [(0, "not at all"), (1, "once"), (3, "3 times")], ids=str
)
def test_how_often_it_was_called_is_told_with_the_calls(
    namespace: Namespace, times: int, expected: str
) -> None:
    post(namespace, "/session/start", {})
    post(namespace, "/session/start", {})
    told = said(lambda: namespace.journal.assert_called("POST", "/session/start", times=times))
    assert told[0] == f"expected POST /session/start to be called {expected}, it was twice"
    assert [line[:9] for line in told[1:]] == ["  called:"] * 2


def test_calls_that_only_a_filter_leaves_out_are_told(namespace: Namespace) -> None:
    post(namespace, "/session/start", {})
    told = said(lambda: namespace.journal.assert_called("POST", "/session/start", status=404))
    assert told[0].endswith("at least once with status=404, it was not")
    assert told[2].endswith("POST /session/start {} -> 200")


def test_where_nothing_was_called_it_is_told_where_to_look(
    server: Server, namespace: Namespace
) -> None:
    told = said(lambda: namespace.journal.assert_called("POST", "/session/start"))
    assert told[1].startswith("nothing was called in this namespace: does the client have its url")
    requests.post(f"{server.url}/session/start", headers={"Authorization": "Bearer x"}, timeout=10)
    told = said(lambda: namespace.journal.assert_called("POST", "/session/start"))
    assert told[2] == "(once in the default namespace)"
    server.client.journal.clear()


def test_a_call_that_a_fault_answered_says_so(namespace: Namespace) -> None:
    namespace.faults.add("notte", status=503, times=1)
    post(namespace, "/session/start", {})
    told = said(lambda: namespace.journal.assert_not_called("POST", "/session/start"))
    assert told[1].endswith("POST /session/start {} -> 503 by fault 1")


@pytest.mark.parametrize(
    ("expected", "found", "told"),
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
def test_bodies_differ_where_one_lacks_what_the_other_expects(
    expected: object, found: object, told: list[str]
) -> None:
    from sessionary.testing.json_diff import json_diff

    assert list(json_diff(expected, found)) == told
