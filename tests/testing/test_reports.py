"""What the report of a failed test shows about its namespace."""

import re

import pytest

from tests.testing.conftest import Suite


def test_the_report_of_a_failed_test_has_calls_timeline_and_explanations(suite: Suite) -> None:
    result = suite(
        """
        @pytest.mark.sessionary(now="2026-03-01T12:00:00Z")
        def test_it(sessionary):
            session = start(sessionary, session_timeout_minutes=5)
            sessionary.clock.advance(minutes=10)
            assert status(sessionary, session) == "active"
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- sessionary: calls in namespace * -*",
            "2026-03-01T12:00:00.000000Z  notte: POST /session/start "
            '{"session_timeout_minutes": 5} -> 200',
            "2026-03-01T12:10:00.000000Z  notte: GET /sessions/* -> 200",
            "*- sessionary: timeline in namespace * -*",
            "2026-03-01T12:10:00.000000Z  now",
            "*- sessionary: sessions in namespace * -*",
            "notte * is timed_out since 2026-03-01T12:05:00.000001Z: *",
        ]
    )


def test_the_timeline_lists_coming_transitions(suite: Suite) -> None:
    result = suite(
        """
        @pytest.mark.sessionary(now="2026-03-01T12:00:00Z")
        def test_it(sessionary):
            start(sessionary, session_timeout_minutes=5)
            assert False
        """
    )
    result.stdout.fnmatch_lines(
        ["2026-03-01T12:05:00.000001Z  notte *: active -> timed_out (idle_timeout)"]
    )


def test_the_report_of_a_failed_fixture_has_them_too(suite: Suite) -> None:
    result = suite(
        """
        @pytest.fixture
        def session(sessionary):
            start(sessionary)
            raise KeyError

        def test_it(session):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*- sessionary: calls in namespace *", "*POST /session/start*"])


def test_the_report_has_every_namespace_of_the_test_and_none_of_passed_tests(suite: Suite) -> None:
    result = suite(
        """
        def test_passing(sessionary):
            start(sessionary)

        def test_failing(sessionary, make_sessionary):
            make_sessionary()
            assert False
        """,
        "--sessionary-leaks=off",
    )
    titles = [line for line in result.outlines if "- sessionary: calls in" in line]
    assert len(titles) == 2


def test_a_stopped_double_does_not_break_the_report(suite: Suite) -> None:
    result = suite(
        """
        def test_it(sessionary, sessionary_server):
            sessionary_server.stop()
            assert "mine" == "this"
        """
    )
    result.stdout.fnmatch_lines(["*assert 'mine' == 'this'*", "*(this server was stopped*"])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("sessionary.clock.advance(5)", "TypeError: a duration is text *"),
        ("sessionary.clock.advance('5 minutes')", "*ControlError: *by must be a duration *"),
        ("sessionary.faults.add('notte', 'overloadd')", "*ControlError: *did you mean *"),
        ("sessionary.explain('none')", "*ControlError: session 'none' not found"),
        ("sessionary.nothing", "AttributeError: unknown surface: 'nothing'"),
        ("sessionary.seed('x.toml')", "ValueError: a seed file must be a Path*"),
        ("make_sessionary(now='noon')", "*ControlError: *now must be a date *"),
    ],
)
def test_an_error_of_the_plugin_shows_no_line_of_its_code(
    suite: Suite, call: str, error: str
) -> None:
    result = suite(
        f"""
        def test_it(sessionary, make_sessionary):
            {call}
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *{error}"])
    places = [line for line in result.outlines if re.search(r"\.py:[0-9]+: ", line)]
    assert len(places) == 1
    assert places[0].startswith("test_suite.py:")
