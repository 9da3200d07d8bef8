"""The clock resource: read, set and advance."""

from typing import Any

import pytest

from tests.control.conftest import NOON, Double


def test_the_clock_shows_mode_time_real_time_and_rate(double: Double) -> None:
    shown = double.get("/clock")
    assert (shown["mode"], shown["now"], shown["rate"]) == ("frozen", NOON, 0.0)
    assert shown["wall_time"] > NOON


def test_a_clock_is_real_offset_or_scaled_and_keeps_its_rate_when_advanced(double: Double) -> None:
    shown = double.put("/clock", {"mode": "real"})
    assert shown["now"] == shown["wall_time"]
    first = double.put("/clock", {"mode": "offset", "now": "2030-01-01T00:00:00Z"})
    assert first["now"].startswith("2030-01-01T00:00:00.")
    assert double.get("/clock")["now"] > first["now"]
    assert double.put("/clock", {"mode": "scaled", "rate": 40})["rate"] == 40.0
    assert double.post("/clock/advance", {"by": "1h"})["rate"] == 40.0


@pytest.mark.parametrize(
    ("by", "shown"),
    [
        ("90s", "2026-03-01T12:01:30.000000Z"),
        ("1h30m", "2026-03-01T13:30:00.000000Z"),
        ("PT25H", "2026-03-02T13:00:00.000000Z"),
        ("P1DT2M3S", "2026-03-02T12:02:03.000000Z"),
        ({"minutes": 5}, "2026-03-01T12:05:00.000000Z"),
        ({"days": 1, "hours": -1}, "2026-03-02T11:00:00.000000Z"),
        ("-5m", "2026-03-01T11:55:00.000000Z"),
        ("-PT1H", "2026-03-01T11:00:00.000000Z"),
        ("250ms", "2026-03-01T12:00:00.250000Z"),
    ],
)
def test_a_clock_advances_by_a_duration_or_goes_back(double: Double, by: Any, shown: str) -> None:
    assert double.post("/clock/advance", {"by": by})["now"] == shown


def test_a_duration_that_is_too_long_is_not_answered_with_another_form(double: Double) -> None:
    detail = double.post("/clock/advance", {"by": "40000d"}, status=400)["detail"]
    assert detail.endswith("/by must be at most 100 years")


def test_every_read_after_an_advance_is_at_the_new_time(double: Double) -> None:
    id = double.start()
    double.advance("5m")
    assert double.status(id) == "active"
    double.advance({"milliseconds": 1})
    assert double.status(id) == "timed_out"
    double.advance("-1s")
    assert double.status(id) == "active"


def test_a_clock_advances_to_the_next_transition(double: Double) -> None:
    later = double.start(session_timeout_minutes=9)
    sooner = double.start(session_timeout_minutes=4)
    assert double.post("/clock/advance", {"to": "next"})["now"] == "2026-03-01T12:04:00.000001Z"
    assert (double.status(sooner), double.status(later)) == ("timed_out", "active")
    assert double.post("/clock/advance", {"to": "next"})["now"] == "2026-03-01T12:09:00.000001Z"
    assert (
        "this namespace has no next transition"
        in double.post("/clock/advance", {"to": "next"}, status=409)["detail"]
    )


def test_a_clock_advances_until_a_session_has_a_status(double: Double) -> None:
    double.start(session_timeout_minutes=2)
    id = double.start(session_timeout_minutes=9)
    until = {"session": id, "status": "timed_out"}
    assert double.post("/clock/advance", {"until": until})["now"] == "2026-03-01T12:09:00.000001Z"
    assert double.status(id) == "timed_out"


def test_a_real_clock_advanced_to_a_transition_is_past_it(double: Double) -> None:
    double.put("/clock", {"mode": "real"})
    id = double.start()
    double.post("/clock/advance", {"to": "next"})
    assert double.status(id) == "timed_out"
    assert double.get("/clock")["mode"] == "offset"


@pytest.mark.parametrize(
    ("until", "status", "detail"),
    [
        ({"session": "unknown", "status": "timed_out"}, 404, "session 'unknown' not found"),
        ({"status": "timed_out"}, 400, "/until/session is required"),
        ({"session": "x", "surface": "nope", "status": "a"}, 404, "unknown surface 'nope'"),
    ],
)
def test_advancing_until_an_unknown_session_or_status_is_refused(
    double: Double, until: dict[str, str], status: int, detail: str
) -> None:
    assert detail in double.post("/clock/advance", {"until": until}, status=status)["detail"]


def test_an_unreachable_status_is_refused_with_the_reachable_ones(double: Double) -> None:
    id = double.start()
    until = {"session": id, "status": "closed"}
    detail = double.post("/clock/advance", {"until": until}, status=409)["detail"]
    assert "timed_out at 2026-03-01T12:05:00.000001Z, not 'closed'" in detail
    assert double.get("/clock")["now"] == NOON


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"by": "soon"}, "/by"),
        ({"by": {"weeks": 1}}, "/by"),
        ({"by": {"minutes": 1.5}}, "/by"),
        ({"by": {"minutes": True}}, "/by"),
        ({"by": {}}, "/by"),
        ({"by": 5}, "/by"),
        ({"by": "P"}, "/by"),
        ({"by": "101000d"}, "/by"),
        ({"to": "last"}, "/to"),
        ({"forward": "5m"}, "/forward"),
        ({"until": "x"}, "/until"),
    ],
)
def test_a_bad_advance_names_its_place_and_changes_nothing(
    double: Double, body: dict[str, Any], pointer: str
) -> None:
    answer = double.call("POST", "/clock/advance", json=body)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert [each["pointer"] for each in answer.json["errors"]] == [pointer]
    assert double.get("/clock")["now"] == NOON


@pytest.mark.parametrize("body", [{}, {"by": "1s", "to": "next"}])
def test_an_advance_has_exactly_one_member(double: Double, body: dict[str, Any]) -> None:
    assert '"by"' in double.post("/clock/advance", body, status=400)["detail"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"mode": "fast"}, "must be one of real, frozen, offset, scaled"),
        ({}, "/mode is required"),
        ({"mode": "scaled"}, "needs a rate"),
        ({"mode": "scaled", "rate": True}, "/rate must be a number"),
        ({"mode": "frozen", "rate": 2}, "only a scaled clock has a rate"),
        ({"mode": "frozen", "now": "noon"}, "/now must be a date and time such as"),
        ({"mode": "frozen", "now": "9999-01-01T00:00:00Z"}, "between the years 1970 and 9000"),
    ],
)
def test_an_invalid_clock_is_refused(double: Double, body: dict[str, Any], detail: str) -> None:
    assert detail in double.put("/clock", body, status=400)["detail"]
    assert double.get("/clock")["now"] == NOON
