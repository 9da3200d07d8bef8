"""The one grammar of durations, and each place that reads it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from marshmallow import ValidationError

from sessionary import clock
from sessionary.cli import main
from sessionary.durations import BadDuration, parse_duration, parse_signed_duration
from sessionary.factory import create_double, load_settings
from sessionary.seeds.schemas import Ago
from sessionary.settings import BadSetting, Settings
from sessionary.web.instants import parse
from tests.conftest import App, double_settings

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
ACCEPTED = {
    "0s": 0,
    "1us": 1,
    "250ms": 250_000,
    "90s": 90 * SECOND,
    "20m": 20 * MINUTE,
    "1h30m": 90 * MINUTE,
    "2d": 2 * DAY,
    "1w": 7 * DAY,
    "1w1d1h1m1s1ms1us": 8 * DAY + HOUR + MINUTE + SECOND + 1_001,
    "30m1h": 90 * MINUTE,
    "PT25H": 25 * HOUR,
    "P1DT2M3S": DAY + 2 * MINUTE + 3 * SECOND,
    "P1W": 7 * DAY,
    "P0D": 0,
}
REFUSED = [
    "", "90", "s", "90 s", " 90s", "90s ", "90S", "1.5h", "1h-30m", "20 minutes", "1y", "1h30",
    "٣s", "P", "PT", "P1DT", "P1H", "PT1D", "P1Y", "P1M", "PT1.5H", "pt1h", "P1DPT1H", "PT1H30m",
    "soon",
]  # fmt: skip
HUNDRED_YEARS = "36500d"
TOO_LONG = ["36501d", "36500d1us", "PT876001H", f"{'9' * 18}w"]


@pytest.mark.parametrize(("text", "microseconds"), ACCEPTED.items())
def test_a_duration_is_amounts_with_units_or_iso_8601(text: str, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize("text", REFUSED)
def test_other_text_is_refused_with_examples(text: str) -> None:
    for read in (parse_duration, parse_signed_duration):
        with pytest.raises(BadDuration, match='must be a duration such as "90s", "1h30m"'):
            read(text)


@pytest.mark.parametrize("text", TOO_LONG)
def test_a_duration_is_at_most_100_years(text: str) -> None:
    assert parse_duration(HUNDRED_YEARS) == 36_500 * DAY
    with pytest.raises(BadDuration, match="must be at most 100 years"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "microseconds"), ACCEPTED.items())
def test_a_signed_duration_may_begin_with_a_sign(text: str, microseconds: int) -> None:
    assert parse_signed_duration(text) == microseconds
    assert parse_signed_duration(f"+{text}") == microseconds
    assert parse_signed_duration(f"-{text}") == -microseconds


@pytest.mark.parametrize("text", ["+90s", "-90s", "-PT1H"])
def test_a_duration_without_a_direction_has_no_sign(text: str) -> None:
    with pytest.raises(BadDuration):
        parse_duration(text)


@pytest.mark.parametrize("text", ["+-90s", "--90s", "- 90s", "-", "+"])
def test_a_sign_is_one_character_before_the_duration(text: str) -> None:
    with pytest.raises(BadDuration):
        parse_signed_duration(text)


Read = Callable[[str], int]


@pytest.fixture(scope="module")
def double() -> Iterator[App]:
    """A double; reading its clock as of an instant changes nothing."""
    app = App(create_double(double_settings()))
    yield app
    app.flask_app.extensions["sessionary.control"].namespaces.close()


def header(double: App, _: Path) -> Read:
    """Sessionary-At; its sign says that it is not an instant."""

    def read(text: str) -> int:
        headers = {"Authorization": "Bearer sk-notte-1", "Sessionary-At": f"+{text}"}
        response = double.client.get("/notte/sessions/", headers=headers)
        if response.status_code != 200:
            assert "Sessionary-At" in response.text
            raise BadDuration(response.text)
        with double.namespace.activate():
            now = clock.now()
        return parse(response.headers["Sessionary-Now"]) // 1000 - now

    return read


def clock_advance(double: App, _: Path) -> Read:
    """The control plane's duration field."""

    def read(text: str) -> int:
        double.flask_app.extensions["sessionary.control"].namespaces.reset("default")
        with double.namespace.activate():
            before = clock.set_mode("frozen")
        response = double.client.post("/_control/v1/clock/advance", json={"by": text})
        if response.status_code != 200:
            raise BadDuration(response.json["detail"])
        return parse(response.json["now"]) // 1000 - before

    return read


def seed_file(_: App, __: Path) -> Read:
    """The fields that end in `_ago`."""

    def read(text: str) -> int:
        try:
            return int(Ago().deserialize(text))
        except ValidationError as error:
            raise BadDuration(str(error.messages)) from error

    return read


def prune(_: App, folder: Path) -> Read:
    """`sessionary prune --ended-before`."""
    db = str(folder / "test.sqlite3")
    app = App(create_double(double_settings(db=db)))
    app.flask_app.extensions["sessionary.control"].namespaces.close()

    def read(text: str) -> int:
        command = ["prune", "--ended-before", text, "--dry-run", "--json", "--db", db]
        result = CliRunner().invoke(main, command)
        if result.exit_code:
            raise BadDuration(result.output)
        ended_before = json.loads(result.stdout)[0]["ended_before"]
        return parse("2026-03-01T12:00:00Z") // 1000 - parse(ended_before) // 1000

    return read


PLACES: list[Any] = [header, clock_advance, seed_file, prune]


@pytest.mark.parametrize("place", PLACES)
def test_each_place_reads_the_same_durations(
    double: App, tmp_path: Path, place: Callable[[App, Path], Read]
) -> None:
    read = place(double, tmp_path)
    assert {text: read(text) for text in ACCEPTED} == ACCEPTED


@pytest.mark.parametrize("place", PLACES)
def test_each_place_refuses_the_same_texts(
    double: App, tmp_path: Path, place: Callable[[App, Path], Read]
) -> None:
    read = place(double, tmp_path)
    for text in (*REFUSED, *TOO_LONG):
        with pytest.raises(BadDuration, match=r"must be (a duration|at most 100 years|an RFC)"):
            read(text)


@pytest.mark.parametrize("text", [*REFUSED, *TOO_LONG, "-90s"])
def test_the_wait_of_the_ready_command_is_a_duration(text: str) -> None:
    result = CliRunner().invoke(main, ["ready", f"--wait={text}"])
    assert result.exit_code == 2
    assert "must be a" in result.output


def from_a_flag(text: str, _: Path) -> Settings:
    return load_settings({"client_timeout_seconds": text}, {})


def from_the_environment(text: str, _: Path) -> Settings:
    return load_settings({}, {"SESSIONARY_CLIENT_TIMEOUT_SECONDS": text})


def from_the_file(text: str, folder: Path) -> Settings:
    (folder / "sessionary.toml").write_text(f"client_timeout_seconds = {json.dumps(text)}")
    return load_settings({}, {"SESSIONARY_CONFIG": str(folder / "sessionary.toml")})


SOURCES: list[Any] = [from_a_flag, from_the_environment, from_the_file]
Load = Callable[[str, Path], Settings]


@pytest.mark.parametrize("load", SOURCES)
def test_a_setting_of_seconds_may_be_a_duration(load: Load, tmp_path: Path) -> None:
    accepted = {text: each for text, each in ACCEPTED.items() if 0 < each <= HOUR}
    assert len(accepted) > 3
    for text, microseconds in accepted.items():
        if microseconds < SECOND // 10:
            with pytest.raises(BadSetting, match=r"from 0\.1 to 3600"):
                load(text, tmp_path)
        else:
            assert load(text, tmp_path).client_timeout_seconds == microseconds / SECOND
    assert load("90", tmp_path).client_timeout_seconds == 90.0


@pytest.mark.parametrize("load", SOURCES)
def test_a_setting_of_seconds_refuses_other_text(load: Load, tmp_path: Path) -> None:
    message = r"(?i)client_timeout_seconds must be a number or a duration"
    for text in {*REFUSED, *TOO_LONG} - {"90"}:
        with pytest.raises(BadSetting, match=message):
            load(text, tmp_path)


def test_a_setting_of_whole_days_or_minutes_takes_whole_ones() -> None:
    variables = {"SESSIONARY_PRUNE_ENDED_DAYS": "2w"}
    assert load_settings({}, variables).prune_ended_days == 14
    for text in ("25h", "1.5"):
        with pytest.raises(BadSetting, match="PRUNE_ENDED_DAYS must be a whole number"):
            load_settings({}, {"SESSIONARY_PRUNE_ENDED_DAYS": text})
