"""Which calls a fault hits, how often, and their responses."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from sessionary.control import delays
from sessionary.surfaces import SURFACES
from sessionary.web import held
from sessionary.web.surface import Surface
from tests.control.conftest import NOON, NOTTE, Double
from tests.control.fault_helpers import CALLS, START, arm, call, start, statuses

each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
PRESETS = [(surface, name) for surface in SURFACES for name in surface.fault_presets]


@each_surface
def test_a_status_fault_has_the_vendors_error_format(double: Double, surface: Surface) -> None:
    arm(double, surface.name, status=503, message="Not today")
    answer = call(double, surface.name)
    assert (answer.status_code, answer.content_type) == (503, surface.error_content_type)
    assert answer.json == surface.error_body(503, "Not today")
    waits = surface.retry_headers(1000) if 503 in surface.retry_statuses else {}
    assert answer.headers.get("Retry-After") == waits.get("Retry-After")
    assert answer.headers["Sessionary-Now"] == NOON


@each_surface
@pytest.mark.parametrize("status", [400, 418, 429, 499, 500, 529, 599])
def test_any_error_status_can_be_armed(double: Double, surface: Surface, status: int) -> None:
    arm(double, surface.name, status=status)
    answer = call(double, surface.name)
    assert answer.status_code == status
    assert surface.error_schemas[400].validate(answer.json) == {}


@pytest.mark.parametrize(("surface", "name"), PRESETS, ids=lambda each: getattr(each, "name", each))
def test_a_preset_returns_the_vendors_failure(double: Double, surface: Surface, name: str) -> None:
    arm(double, surface.name, preset=name)
    answer, failure = call(double, surface.name), surface.fault_presets[name]
    assert (answer.status_code, answer.json) == (failure.status, failure.body)
    assert surface.error_schemas[400].validate(answer.json) == {}
    assert failure.source.startswith(("Source:", "Assumed:"))


@pytest.mark.parametrize(
    ("surface", "preset", "status", "body", "wait"),
    [
        ("notte", "overloaded", 529, "detail", {"Retry-After": "1"}),
        ("scale", "rate_limited", 429, "detail", {"Retry-After": "1", "retry-after-ms": "1000"}),
        ("mobilenext", "insufficient_credits", 402, "error", {}),
        ("galtea", "internal_error", 500, "error", {}),
    ],
)
def test_a_preset_carries_the_vendors_retry_headers(
    double: Double, surface: str, preset: str, status: int, body: str, wait: dict[str, str]
) -> None:
    armed = arm(double, surface, preset=preset)
    assert (armed["status"], armed["headers"]) == (status, wait)
    assert body in armed["body"]
    assert wait.items() <= dict(call(double, surface).headers).items()


def test_the_retry_time_can_be_set(double: Double) -> None:
    arm(double, "scale", preset="rate_limited", retry_after="1500ms")
    headers = call(double, "scale").headers
    assert (headers["Retry-After"], headers["retry-after-ms"]) == ("2", "1500")


def test_presets_are_listed_as_they_are_returned(double: Double) -> None:
    listed = double.get("/faults/presets")["presets"]
    assert len(listed) == len(PRESETS)
    for each in listed:
        armed = arm(double, each["surface"], preset=each["name"])
        assert [armed[key] for key in ("status", "headers", "body")] == [
            each[key] for key in ("status", "headers", "body")
        ]


TWICE = {"route": "/session/start", "status": 503, "times": 2}


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ([TWICE], [503, 503, 200, 200]),
        ([TWICE, TWICE | {"status": 429, "times": 1}], [503, 503, 429, 200]),
        ([TWICE | {"after": 2, "times": 1}], [200, 200, 503, 200]),
        ([{"status": 503, "after": 1, "times": 1}, {"status": 429, "times": 1}], [429, 503, 200]),
        ([{"status": 503, "probability": 0}], [200] * 20),
    ],
    ids=["twice", "in order of arming", "after two calls", "each counts what it sees", "never"],
)
def test_faults_hit_as_often_as_they_say(double: Double, faults: Any, expected: Any) -> None:
    for fault in faults:
        arm(double, **fault)
    assert statuses(double, len(expected)) == expected


def test_without_times_a_fault_hits_until_it_is_disarmed(double: Double) -> None:
    armed = arm(double, status=503)
    assert statuses(double, 3) == [503] * 3
    double.call("DELETE", f"/faults/{armed['id']}")
    assert start(double) == 200


def chances(double: Double, seed: int, ns: str) -> list[int]:
    double.post("/namespaces", {"name": ns}, status=201)
    arm(double, status=503, probability=0.3, seed=seed, ns=ns)
    return statuses(double, 60, f"/~{ns}{START}")


def test_the_same_seed_hits_the_same_calls_in_every_namespace(double: Double) -> None:
    first = chances(double, 7, "a")
    assert chances(double, 7, "b") == first
    assert chances(double, 8, "c") != first
    assert 8 <= first.count(503) <= 28


@pytest.mark.parametrize(
    ("moved", "status"), [("59999ms", 200), ("60s", 503), ("119999ms", 503), ("2m", 200)]
)
def test_a_window_has_its_start_and_not_its_end(double: Double, moved: str, status: int) -> None:
    window = {"from": "2026-03-01T12:01:00Z", "to": "2026-03-01T12:02:00Z"}
    arm(double, status=503, **window)
    double.advance(moved)
    assert start(double) == status


def test_a_window_applies_to_the_clock_not_to_the_requested_instant(double: Double) -> None:
    arm(double, status=503, **{"from": "2026-03-01T12:01:00Z"})
    path, headers = CALLS["notte"]
    later = {**headers, "Sessionary-At": "+1h"}
    assert double.client.get(path, headers=later).status_code == 200


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("/sessions/{session_id}", "/notte/sessions/one"),
        ("/sessions/{id}", "/notte/sessions/one"),
        ("/notte/sessions/{session_id}", "/notte/sessions/one/"),
        ("/sessions/one", "/notte/sessions/one"),
        ("/sessions/{session_id}", "/sessions/one"),
        ("/health", "/health"),
        ("/health", "/notte/health"),
    ],
)
def test_a_route_matches_at_the_root_under_the_prefix_and_by_path(
    double: Double, route: str, path: str
) -> None:
    arm(double, method="GET", route=route, status=503)
    sdk = {**NOTTE, "x-notte-sdk-version": "1.10.0"}
    assert double.client.get(path, headers=sdk).status_code == 503


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/notte/sessions/two"),
        ("GET", "/notte/sessions"),
        ("DELETE", "/notte/sessions/one/stop"),
        ("GET", "/galtea/sessions/one"),
        ("GET", "/sessions/one"),
    ],
)
def test_other_routes_do_not_match(double: Double, method: str, path: str) -> None:
    armed = arm(double, method="GET", route="/sessions/one", status=503)
    assert double.client.open(path, method=method, headers=NOTTE).status_code != 503
    assert double.get(f"/faults/{armed['id']}")["matched_count"] == 0


def test_other_methods_of_the_route_do_not_match(double: Double) -> None:
    arm(double, "galtea", method="GET", route="/sessions/{session_id}", status=503)
    path, headers = "/galtea/sessions/one", CALLS["galtea"][1]
    assert double.client.delete(path, headers=headers).status_code == 404
    assert double.client.get(path, headers=headers).status_code == 503


def test_without_a_route_every_call_of_the_surface_matches(double: Double) -> None:
    arm(double, status=503)
    assert double.client.get("/notte/nowhere", headers=NOTTE).status_code == 503
    assert call(double, "notte").status_code == 503
    assert call(double, "galtea").status_code == 200


def test_a_fault_hits_before_authentication(double: Double) -> None:
    arm(double, status=503)
    assert double.client.post(START, json={}).status_code == 503


def test_a_call_that_a_fault_fails_changes_nothing(double: Double) -> None:
    arm(double, status=500, times=1)
    start(double)
    assert double.get("/sessions")["sessions"] == []


def test_a_head_request_is_failed_without_a_body(double: Double) -> None:
    arm(double, status=503)
    path, headers = CALLS["notte"]
    answer = double.client.head(path, headers=headers)
    assert (answer.status_code, answer.data) == (503, b"")


def replace_sleep(monkeypatch: pytest.MonkeyPatch, sleep: Callable[[float], object]) -> None:
    """Replace the waits of held responses, without a server that has timers."""
    passed = [0.0]

    def wait(delay: held.Delay) -> None:
        sleep(delay.seconds)
        passed[0] += delay.seconds

    monkeypatch.setattr(held.Delay, "wait", wait)
    monkeypatch.setattr(delays, "monotonic", lambda: passed[0])


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays that held responses would have slept."""
    delays: list[float] = []
    replace_sleep(monkeypatch, delays.append)
    return delays


def test_latency_is_slept_before_the_call_is_handled(double: Double, slept: list[float]) -> None:
    arm(double, kind="latency", delay="2s", times=1)
    assert start(double) == 200
    assert start(double) == 200
    assert slept == [2.0]


def test_other_calls_in_the_namespace_are_served_during_the_delay(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm(double, kind="latency", route="/session/start", delay="1s")
    others: list[Any] = []

    def sleep(_: float) -> None:
        client: FlaskClient = double.app.test_client()
        path, headers = CALLS["notte"]
        get = threading.Thread(target=lambda: others.append(client.get(path, headers=headers)))
        get.start()
        get.join(10)
        double.advance("5m")

    replace_sleep(monkeypatch, sleep)
    assert start(double) == 200
    assert [other.status_code for other in others] == [200]
    (session,) = double.get("/sessions")["sessions"]
    assert session["since"] == "2026-03-01T12:05:00.000000Z"


def test_a_status_fault_can_have_a_delay(double: Double, slept: list[float]) -> None:
    arm(double, status=504, delay="30s")
    assert start(double) == 504
    assert slept == [30.0]
