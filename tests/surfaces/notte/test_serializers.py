from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sessionary.surfaces.notte import serializers
from sessionary.surfaces.notte.models import SessionRow
from sessionary.surfaces.notte.schemas import responses
from sessionary.web.json_codec import page_value
from tests.surfaces.notte.strategies import NOW, sessions
from tests.surfaces.schema_fit import assert_fits_schema

instants = st.integers(-70, 70).map(lambda minutes: NOW + minutes * 60_000_000 + minutes % 3 - 1)


@given(row=sessions(), now=instants)
def test_a_session_fits_its_schema(row: SessionRow, now: int) -> None:
    found = serializers.session(row, now)
    assert_fits_schema(responses.SessionResponse(), found)
    assert ("max_duration_minutes" in found) is (row.max_duration_minutes is not None)


@given(row=sessions(), now=instants)
def test_a_session_shows_an_end_exactly_when_it_is_not_active(row: SessionRow, now: int) -> None:
    found = serializers.session(row, now)
    is_over = found["status"] != "active"
    assert found["status"] in {"active", "closed", "error", "timed_out"}
    assert (found["closed_at"] is not None) is is_over
    assert (found["close_reason"] is not None) is is_over
    assert found["close_reason"] in {
        None,
        "manual",
        "idle_timeout",
        "max_duration",
        "error",
        "unknown",
    }


@given(rows=st.lists(sessions(), max_size=4), now=instants, number=st.integers(1, 9))
def test_a_page_fits_its_schema(rows: list[SessionRow], now: int, number: int) -> None:
    page = page_value(serializers.page(iter(rows), now, number=number, size=3))
    assert_fits_schema(responses.SessionPage(), page)
    assert len(page["items"]) == min(len(rows), 3)
    assert page["has_next"] is (len(rows) == 4)


@given(row=sessions(), now=instants, screenshot=st.booleans())
def test_operations_fit_their_schemas(row: SessionRow, now: int, screenshot: bool) -> None:
    assert_fits_schema(
        responses.ObserveResponse(), serializers.operated(row, now, screenshot=screenshot)
    )
    assert_fits_schema(responses.Observation(), serializers.observed(row, now))
    assert_fits_schema(
        responses.ExecutionResult(), serializers.executed({"type": "wait"}, row, now)
    )
    for is_structured in (True, False):
        scraped = serializers.scraped(row, now, is_structured=is_structured)
        assert_fits_schema(responses.ScrapeResponse(), scraped)
    assert_fits_schema(responses.Health(), serializers.health(3))


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "PT0S"),
        (1, "PT0.000001S"),
        (41_286_072, "PT41.286072S"),
        (500_000, "PT0.5S"),
        (60_000_000, "PT1M"),
        (3_600_000_000, "PT1H"),
        (86_400_000_000, "P1D"),
        (86_400_000_001, "P1DT0.000001S"),
        (93_784_000_000, "P1DT2H3M4S"),
    ],
)
def test_a_duration_is_written_as_iso_8601(microseconds: int, text: str) -> None:
    assert serializers.duration(microseconds) == text


@given(st.integers(0, 400 * 86_400_000_000))
def test_a_duration_can_be_parsed_back(microseconds: int) -> None:
    read = TypeAdapter(timedelta).validate_python(serializers.duration(microseconds))
    assert read == timedelta(microseconds=microseconds)
