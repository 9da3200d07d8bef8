from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionary.web.instants import BadInstant, parse, to_text


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_formatted_instant_is_parsed_back(moment: datetime) -> None:
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse(to_text(microseconds)) == microseconds * 1000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T18:30:00-05:30", 0),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.123456789Z", 123_456_789),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_offsets_and_nine_digits_of_fraction_are_parsed(text: str, nanoseconds: int) -> None:
    assert parse(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-01-31", "2026-01-31 00:00:00Z", "2026-01-31T00:00Z", "2026-01-31T00:00:00",
        "2026-01-31T00:00:00.Z", "2026-01-31T00:00:00.1234567890Z", "2026-02-30T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T23:59:60Z", "2026-01-31T00:00:00+24:00",
        "2026-01-31T00:00:00+01:60", "2026-01-31T00:00:00+0100", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2026-01-31T00:00:00Z\n",
        "\u0662026-01-31T00:00:00Z", "1767225600",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInstant):
        parse(text)


def test_a_missing_offset_is_utc_only_with_assume_utc() -> None:
    assert parse("1970-01-01T00:00:01", assume_utc=True) == 1_000_000_000
    with pytest.raises(BadInstant):
        parse("1970-01-01T00:00:01")


def test_formatting_cuts_digits_and_never_rounds() -> None:
    assert to_text(1_999_999) == "1970-01-01T00:00:01.999999Z"
    assert to_text(1_999_999, "milliseconds") == "1970-01-01T00:00:01.999Z"
