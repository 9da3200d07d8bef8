"""The journal resource: find, count and remove calls; servers without a journal."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sessionary import create_app
from sessionary.control.journal import models
from sessionary.settings import Settings
from tests.control.conftest import GALTEA, NOTTE, SCALE, Double
from tests.control.fault_helpers import start


@pytest.fixture
def busy(double: Double) -> Double:
    """A double with recorded calls: two Notte sessions started, one of them read, and others."""
    ids = [double.start(), double.start()]
    client = double.client
    client.get(f"/notte/sessions/{ids[1]}", headers=NOTTE)
    client.get("/notte/sessions/UNKNOWN", headers=NOTTE)
    client.get("/galtea/sessions", headers=GALTEA)
    client.get("/scale/user-info")
    return double


def ids(double: Double, query: str) -> list[int]:
    return [call["id"] for call in double.get(f"/journal?{query}")["calls"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("method=post", [1, 2]),
        ("path=/session/start", [1, 2]),
        ("path=/notte/session/start", [1, 2]),
        ("path=/sessions/{session_id}", [3, 4]),
        ("path=/sessions/UNKNOWN", [4]),
        ("path=/sessions", [5]),
        ("path=/notte/sessions", []),
        ("surface=galtea", [5]),
        ("session=unknown", [4]),
        ("status=200", [1, 2, 3, 5]),
        ("status=4xx", [4, 6]),
        ("status=404", [4]),
        ("surface=notte&method=GET&status=2xx", [3]),
        ("after=4", [5, 6]),
        ("method=POST&after=1", [2]),
        ("q=unknown", [4]),
        ("q=SESSION/start", [1, 2]),
        ("q=browser_type&surface=notte", [1, 2, 3]),
        ("q=%25", []),
    ],
)
def test_calls_are_found_in_order_and_counted(busy: Double, query: str, found: list[int]) -> None:
    assert ids(busy, query) == found
    if "after" not in query:
        assert busy.get(f"/journal/count?{query}") == {"count": len(found), "dropped_count": 0}


def test_a_journal_as_of_an_instant_has_the_calls_up_to_it(double: Double) -> None:
    double.start()
    double.advance("1m")
    double.start()
    for at, found in (("-61s", []), ("-1m", [1]), ("-1us", [1]), ("+0s", [1, 2]), ("+1h", [1, 2])):
        headers = {"Sessionary-At": at}
        assert [call["id"] for call in double.get("/journal", headers=headers)["calls"]] == found
        assert double.get("/journal/count", headers=headers)["count"] == len(found)
    double.advance("-1h")
    assert len(double.calls()) == double.get("/journal/count")["count"] == 2


def test_an_unknown_surface_is_refused(double: Double) -> None:
    for path in ("/journal?surface=nott", "/journal/count?surface=nott", "/faults?surface=nott"):
        refused = double.get(path, status=404)
        assert refused["detail"].startswith("unknown surface 'nott': must be one of scale, ")


def test_calls_are_found_by_session_id(busy: Double) -> None:
    session = busy.get("/journal/2")["session"]
    assert ids(busy, f"session={session}") == [2, 3]


@pytest.mark.parametrize(
    ("order", "expected"), [("oldest", [1, 2, 3, 4, 5, 6]), ("newest", [6, 5, 4, 3, 2, 1])]
)
def test_pages_contain_every_call_once(busy: Double, order: str, expected: list[int]) -> None:
    found, after = [], 0
    while after is not None:
        page = busy.get(f"/journal?order={order}&limit=4&after={after}")
        found += [call["id"] for call in page["calls"]]
        after = page["next"]
    assert found == expected


def test_removed_calls_are_gone_and_their_ids_are_not_reused(busy: Double) -> None:
    assert busy.call("DELETE", "/journal").status_code == 204
    assert busy.get("/journal/count") == {"count": 0, "dropped_count": 0}
    start(busy)
    assert ids(busy, "") == [7]
    assert busy.get("/journal")["dropped_count"] == 0
    assert busy.get("/journal/1", status=404)["detail"].startswith("call 1 not found")


@pytest.mark.parametrize("how", ["fork", "reset", "restore"])
def test_a_copied_namespace_has_an_empty_journal(double: Double, how: str) -> None:
    double.start(ns="a")
    if how == "fork":
        double.post("/namespaces/a/fork", {"name": "b"}, status=201)
    elif how == "reset":
        double.post("/namespaces/a/reset")
    else:
        contents = double.call("GET", "/namespaces/a/snapshot").data
        double.call("POST", "/namespaces/b/restore", data=contents)
    assert double.get("/journal", ns="a" if how == "reset" else "b")["calls"] == []
    assert double.get("/journal/count", ns="a")["count"] == (0 if how == "reset" else 1)


@pytest.fixture
def small(double: Double, monkeypatch: pytest.MonkeyPatch) -> Double:
    """A double that keeps twenty calls and drops five at a time."""
    monkeypatch.setattr(models, "MAX_CALLS", 20)
    monkeypatch.setattr(models, "_TRIM_EVERY", 5)
    return double


def test_the_oldest_calls_are_dropped_and_counted(small: Double) -> None:
    for _ in range(33):
        small.client.get("/health")
    page = small.get("/journal")
    assert [call["id"] for call in page["calls"]] == list(range(11, 34))
    assert (page["max_calls"], page["dropped_count"]) == (20, 10)
    assert small.get("/journal/count") == {"count": 23, "dropped_count": 10}


def test_dropped_calls_are_counted_since_the_journal_was_emptied(small: Double) -> None:
    for _ in range(30):
        small.client.get("/health")
    small.call("DELETE", "/journal")
    for _ in range(30):
        small.client.get("/health")
    assert small.get("/journal")["dropped_count"] == 10


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=4", "must be a status such as 404, or 4xx"),
        ("limit=0", "limit must be at least 1"),
        ("limit=1001", "at most 1000"),
        ("after=x", "after must be an integer"),
        ("order=up", "order must be one of oldest, newest"),
        ("colour=red", "colour is not a known field"),
    ],
)
def test_a_bad_filter_says_what_to_send_instead(double: Double, query: str, detail: str) -> None:
    assert detail in double.get(f"/journal?{query}", status=400)["detail"]


def test_a_call_that_cannot_be_recorded_is_still_answered(
    double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    with double.control.namespace.activate():
        double.control.namespace.database.run("DROP TABLE control_call")
    with caplog.at_level(logging.ERROR):
        assert start(double) == 200
    assert "the journal could not record a call" in caplog.text


@pytest.fixture
def server() -> Iterator[Callable[..., Any]]:
    """A factory of clients of servers."""
    namespaces = []

    def make(**settings: Any) -> Any:
        given = {"db": ":memory:", "auth": "lenient", "control": True, "control_token": "t"}
        app = create_app(Settings(**{**given, **settings}))
        namespaces.append(app.extensions["sessionary"])
        return app.test_client()

    yield make
    for namespace in namespaces:
        namespace.close()


@pytest.mark.parametrize("path", ["/journal", "/journal/count", "/journal/1", "/journal/1/explain"])
def test_a_server_without_journal_says_how_to_get_it(server: Callable[..., Any], path: str) -> None:
    answer = server().get(f"/_control/v1{path}", headers={"Authorization": "Bearer t"})
    assert (answer.status_code, "--journal" in answer.json["detail"]) == (409, True)


def test_a_server_with_a_journal_records_its_calls(server: Callable[..., Any]) -> None:
    client = server(journal=True)
    client.get("/scale/user-info", headers=SCALE)
    answer = client.get("/_control/v1/journal", headers={"Authorization": "Bearer t"})
    assert [call["path"] for call in answer.json["calls"]] == ["/user-info"]


def test_without_a_journal_an_error_has_no_link(server: Callable[..., Any]) -> None:
    assert "Link" not in server().get("/scale/user-info").headers
