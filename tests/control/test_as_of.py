"""Reads as of another instant change nothing; writes refuse the header."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from werkzeug.test import TestResponse

from sessionary import store
from sessionary.web import messages
from tests.conftest import App
from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, SCALE, Double, MakeDouble
from tests.control.test_sessions import start_everywhere


def at(text: str) -> dict[str, str]:
    return {"Sessionary-At": text}


def test_a_read_can_be_as_of_the_future(double: Double) -> None:
    id = double.start()
    assert double.status(id, **at("+5m")) == "active"
    assert double.status(id, **at("2026-03-01T12:05:00.000001Z")) == "timed_out"
    assert double.status(id) == "active"


def test_a_read_can_be_as_of_the_past(double: Double) -> None:
    id = double.start()
    double.advance("1m")
    double.close(id)
    double.advance("1m")
    assert double.status(id, **at("-1m")) == "closed"
    assert double.status(id, **at("-61s")) == "active"
    assert double.status(id, **at(NOON)) == "active"
    assert double.status(id, **at("-121s")) is None
    assert double.status(id) == "closed"


def test_a_response_names_the_instant_that_it_is_as_of(double: Double) -> None:
    answer = double.client.get("/notte/sessions", headers=NOTTE | at("+1h"))
    assert answer.headers["Sessionary-Now"] == "2026-03-01T13:00:00.000000Z"
    assert answer.headers["Sessionary-Namespace"] == "default"


def test_a_read_of_the_past_changes_nothing(double: Double) -> None:
    id = double.start()
    double.advance("1m")
    double.close(id)
    with double.control.namespace.activate():
        before = store.undo_log.session_writes(0, 2**60, 10)
    for _ in range(3):
        assert double.status(id, **at("-30s")) == "active"
    with double.control.namespace.activate():
        assert store.undo_log.session_writes(0, 2**60, 10) == before
    assert double.status(id) == "closed"


def test_a_seeded_session_is_there_from_its_creation_on(double: Double) -> None:
    id = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
    session = {"id": id, "organization": "000000000000000000000001", "created_ago": "3m"}
    body = {
        "organizations": [{"id": "000000000000000000000001", "name": "Default"}],
        "notte": {"sessions": [session]},
    }
    double.post("/namespaces/default/seed", body)
    double.start()
    assert double.status(id, **at("-3m1us")) is None
    assert double.status(id, **at("-3m")) == "active"
    assert double.status(id, **at("-1m")) == "active"
    assert double.status(id, **at("+1m")) == "active"
    assert double.status(id, **at("+121s")) == "timed_out"


def test_a_key_expires_by_the_clock_not_by_the_requested_instant(make_double: MakeDouble) -> None:
    double = make_double(auth="strict")
    user = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
    key = {"secret": "sk-notte-1", "user": user, "expires_at": "2026-03-01T12:10:00Z"}
    member = {"organization": "acme", "role": "admin"}
    person = {"id": user, "name": "Ana", "default_organization": "acme", "memberships": [member]}
    body = {"organizations": [{"id": "acme", "name": "Acme"}], "users": [person], "keys": [key]}
    double.post("/namespaces/default/seed", body)
    id = double.start(session_timeout_minutes=29)
    assert double.status(id, **at("+1h")) == "timed_out"


@pytest.mark.parametrize("text", ["soon", "+", "+5", "5m", "-5x", "", "2026-03-01", "+1h-1m"])
def test_a_bad_instant_is_refused_in_the_vendors_error_format(double: Double, text: str) -> None:
    answer = double.client.get("/notte/sessions", headers=NOTTE | at(text))
    assert answer.status_code == 422
    assert "Sessionary-At" in answer.json["detail"][0]["loc"]
    assert double.client.get("/galtea/sessions", headers=GALTEA | at(text)).status_code == 400
    assert double.client.get("/scale/v4/sessions", headers=SCALE | at(text)).status_code == 422
    path = "/mobilenext/api/v1/sessions"
    assert double.client.get(path, headers=MOBILENEXT | at(text)).status_code == 400


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("+99999999h", "must be at most 100 years"),
        ("+5", 'must be a duration such as "90s", "1h30m", "2d" or "PT25H"'),
        ("0001-01-01T00:00:00+01:00", "must lie in the years 1 to 9999"),
        ("soon", "such as 2026-01-31T09:30:00Z, or a duration from now such as +15m or -2h"),
    ],
)
def test_a_bad_instant_gets_one_clear_sentence(double: Double, text: str, why: str) -> None:
    answer = double.client.get("/galtea/sessions", headers=GALTEA | at(text))
    assert answer.json["message"].endswith(why)


def test_a_write_with_the_header_is_refused_and_writes_nothing(double: Double) -> None:
    answer = double.client.post("/notte/session/start", json={}, headers=NOTTE | at("+1m"))
    assert answer.status_code == 400
    assert "only a read" in answer.json["detail"]
    assert double.get("/sessions")["sessions"] == []


def test_a_bad_key_is_refused_before_a_bad_instant(double: Double) -> None:
    assert double.client.get("/notte/sessions", headers=at("soon")).status_code == 401


def test_control_plane_reads_can_be_as_of_another_instant(double: Double) -> None:
    id = double.start()
    double.advance("1m")
    (then,) = double.get("/sessions", headers=at("+1h"))["sessions"]
    assert then["status"] == "timed_out"
    assert double.get("/sessions", headers=at("-61s"))["sessions"] == []
    (coming,) = double.get("/timeline", headers=at("-1m"))["transitions"]
    assert coming["session"] == id
    assert "date and time" in double.get("/timeline", headers=at("soon"), status=400)["detail"]


_NAMES = ("sessions", "lanes", "timeline", "diff", "journal", "journal/count", "openapi.json")
WORKS = {f"/_control/v1/{name}" for name in _NAMES}
WORKS |= {
    f"/_control/v1/sessions/{path}"
    for path in (
        *("<session_id>/explain", "<surface>/<session_id>/explain"),
        "<surface>/<session_id>/test",
    )
}
KEYS = {"scale": SCALE, "mobilenext": MOBILENEXT, "notte": NOTTE, "galtea": GALTEA}
QUERIES = {"/_control/v1/diff": f"?from={NOON}"}


def routes(double: Double) -> list[tuple[str, str, str, dict[str, str]]]:
    """Method, rule, address and headers of every route; the ids are of things that exist."""
    ids = {**start_everywhere(double), None: double.start()}
    fault = double.post("/faults", {"surface": "notte", "kind": "empty", "after": 99}, status=201)
    values = {"surface": "notte", "namespace": "default", "device": "emulator-5554"}
    values |= {"fault_id": fault["id"], "call_id": double.newest_call()["id"]}
    found = []
    for rule in double.app.url_map.iter_rules():
        surface, _ = double.control.routes.split(rule.rule)
        name = surface and surface.name
        known = {**values, "session_id": ids.get(name, ids[None])}
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(known.get(m[1], "x")), rule.rule)  # noqa: B023
        path += QUERIES.get(rule.rule, "")
        headers = KEYS.get(name, {})
        methods = sorted((rule.methods or set()) - {messages.METHOD})  # no method of HTTP
        found += [(each, rule.rule, path, headers) for each in methods]
    assert len(found) > 130
    return found


def refusal(answer: TestResponse) -> bool:
    """Whether a response refuses the header by its name."""
    return answer.status_code in (400, 422) and "Sessionary-At" in answer.text


@pytest.mark.parametrize("text", ["rubbish", "", "+1", "2026-03-01", "-1us-1us"])
def test_an_instant_that_is_none_is_refused_on_every_route(double: Double, text: str) -> None:
    for method, rule, path, headers in routes(double):
        if method != "HEAD":
            answer = double.client.open(path, method=method, headers=headers | at(text))
            assert refusal(answer), f"{method} {rule}: {answer.status_code} {answer.text}"


def test_the_finest_step_works_or_is_refused_on_every_route(double: Double) -> None:
    later = "2026-03-01T12:00:00.000001Z"
    for method, rule, path, headers in routes(double):
        before = double.control.namespace.contents()
        answer = double.client.open(path, method=method, headers=headers | at("+1us"))
        what = f"{method} {rule}: {answer.status_code} {answer.text}"
        is_read, is_control = method in ("GET", "HEAD"), rule.startswith("/_control/")
        if not is_read or (is_control and rule not in WORKS):
            assert answer.status_code in (400, 422), what
            assert method == "HEAD" or refusal(answer), what
        elif not is_control:
            assert answer.headers["Sessionary-Now"] == later, what
        elif method == "GET" and not answer.is_json:
            assert later in answer.text, what
        elif method == "GET":
            shown = answer.json
            assert shown.get("at", shown.get("now", later)) == later, what
        assert stored(double) == stored(double, before), what


def stored(double: Double, contents: bytes | None = None) -> list[Any]:
    """What a namespace holds, but for the journal and the matched calls of faults."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(contents or double.control.namespace.contents())
        lines = list(connection.iterdump())
    return [line for line in lines if '"control_' not in line and "sqlite_" not in line]


def test_a_step_of_a_microsecond_decides(double: Double) -> None:
    id = double.start()
    double.advance("5m")
    assert double.status(id, **at("+0us")) == "active"
    assert double.status(id, **at("+1us")) == "timed_out"
    double.advance("1us")
    assert double.status(id, **at("-1us")) == "active"


def test_the_health_route_can_be_as_of_another_instant(double: Double) -> None:
    double.start()

    def active(headers: dict[str, str]) -> Any:
        return double.client.get("/health", headers=headers).json

    assert active({})["active_sessions"] == 1
    assert active(at("+6m"))["active_sessions"] == 0
    assert "date and time" in active(at("soon"))["detail"]


def test_a_server_answers_for_the_future_and_refuses_the_past(app: App) -> None:
    started = app.client.post("/notte/session/start", json={}, headers=NOTTE)
    path = f"/notte/sessions/{started.json['session_id']}"
    assert app.client.get(path, headers=NOTTE | at("+6m")).json["status"] == "timed_out"
    refused = app.client.get(path, headers=NOTTE | at("-1s"))
    assert refused.status_code == 422
    assert "keeps no history" in refused.json["detail"][0]["msg"]


def test_an_instant_before_the_undo_log_is_refused_with_its_beginning(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.undo_log, "MAX_ENTRIES", 3)
    id = double.start()
    for _ in range(5):
        double.advance("1m")
        double.client.post(
            "/notte/env/observe", json={"session_id": id, "keep_alive": True}, headers=NOTTE
        )
    assert double.status(id, **at("-2m")) == "active"
    answer = double.client.get(f"/notte/sessions/{id}", headers=NOTTE | at(NOON))
    assert "where the history begins" in answer.json["detail"][0]["msg"]


def test_an_instant_means_the_last_time_that_the_clock_showed_it(double: Double) -> None:
    """No write follows the move: the move itself is noted."""
    id = double.start(session_timeout_minutes=29)
    double.advance("10m")
    double.close(id)
    double.advance("-9m")
    double.advance("4m")
    assert double.status(id) == "closed"
    double.advance("20m")
    assert double.status(id, **at("2026-03-01T12:05:00Z")) == "closed"
    assert double.status(id, **at("2026-03-01T12:00:59.999999Z")) == "active"
    assert [each["to_status"] for each in double.get(f"/diff?from={NOON}")["changes"]] == ["closed"]


def test_lists_of_the_past_are_in_the_order_of_creation(double: Double) -> None:
    """Devices are released in another order than the sessions were created."""
    path = "/mobilenext/api/v1/sessions"
    made = [double.client.post(path, headers=MOBILENEXT).json["id"] for _ in range(4)]
    body = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "ANDROID"}]}
    for id in reversed(made):
        double.client.post(f"{path}/{id}/devices", json=body, headers=MOBILENEXT)
    double.advance("1m")
    for id in (made[1], made[3]):
        held = double.client.get(f"{path}/{id}/devices", headers=MOBILENEXT).json["data"]
        double.client.post(f"{path}/{id}/devices/{held[0]['id']}/release", headers=MOBILENEXT)
    now = double.get("/sessions")["sessions"]
    then = double.get("/sessions", headers=at("-1m"))["sessions"]
    assert [each["id"] for each in then] == [each["id"] for each in now] == made
    assert {each["status"] for each in then} == {"active"}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/timeline?from=2026-03-01T11:00:00Z&to={}", "transitions"),
        ("/timeline?from={}", "transitions"),
        ("/diff?from={}", "changes"),
        ("/diff?from=2026-03-01T11:00:00Z&to={}", "changes"),
        ("/lanes?from={}", "lanes"),
        ("/lanes?to={}", "lanes"),
        ("/sessions/notte/{id}/explain?at={}", "status"),
    ],
)
def test_an_instant_of_a_query_may_be_relative(double: Double, path: str, shown: str) -> None:
    id = double.start()
    double.advance("10m")
    for text, instant in (
        ("-5m", "12:05:00"),
        ("%2B3m", "12:13:00"),
        ("+3m", "12:13:00"),
        ("-1us", "12:09:59.999999"),
    ):
        if text != "-5m" and path == "/diff?from={}":
            continue
        found = double.get(path.format(text, id=id))
        assert found[shown] == double.get(path.format(f"2026-03-01T{instant}Z", id=id))[shown]


def test_a_relative_instant_counts_from_the_instant_of_the_header(double: Double) -> None:
    id = double.start()
    double.advance("10m")
    found = double.get(f"/sessions/notte/{id}/explain?at=-2m", headers=at("2026-03-01T12:05:00Z"))
    assert found["at"] == "2026-03-01T12:03:00.000000Z"


@pytest.mark.parametrize("path", ["timeline?to={}", "diff?from={}", "lanes?to={}"])
def test_a_wrong_instant_of_a_query_says_both_forms(double: Double, path: str) -> None:
    refused = double.get(f"/{path.format('soon')}", status=400)["detail"]
    assert "2026-01-31T09:30:00Z, or a duration from now such as +15m or -2h" in refused
    assert "must be" in double.get(f"/{path.format('-5x')}", status=400)["detail"]
