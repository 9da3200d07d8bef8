"""What a failing test's report says of its namespace."""

from tests.testing.conftest import Suite


def test_a_failing_test_s_report_has_calls_timeline_and_explanations(suite: Suite) -> None:
    told = suite(
        """
        import pytest

        @pytest.mark.sessionary(now="2026-03-01T12:00:00Z")
        def test_it(sessionary):
            session = start(sessionary, session_timeout_minutes=5)
            sessionary.clock.advance(minutes=10)
            assert status(sessionary, session) == "active"
        """
    )
    told.assert_outcomes(failed=1)
    told.stdout.fnmatch_lines(
        [
            "*- sessionary: calls in the namespace * -*",
            "2026-03-01T12:00:00.000000Z  notte: POST /session/start "
            '{"session_timeout_minutes": 5} -> 200',
            "2026-03-01T12:10:00.000000Z  notte: GET /sessions/* -> 200",
            "*- sessionary: timeline in the namespace * -*",
            "2026-03-01T12:10:00.000000Z  now",
            "*- sessionary: sessions called about in the namespace * -*",
            "notte * is timed_out since 2026-03-01T12:05:00.000001Z: *",
        ]
    )


def test_what_is_to_come_is_in_the_timeline(suite: Suite) -> None:
    told = suite(
        """
        import pytest

        @pytest.mark.sessionary(now="2026-03-01T12:00:00Z")
        def test_it(sessionary):
            start(sessionary, session_timeout_minutes=5)
            assert False
        """
    )
    told.stdout.fnmatch_lines(
        ["2026-03-01T12:05:00.000001Z  notte *: active -> timed_out (idle_timeout)"]
    )


def test_a_failing_fixture_s_report_has_it_too(suite: Suite) -> None:
    told = suite(
        """
        import pytest

        @pytest.fixture
        def session(sessionary):
            start(sessionary)
            raise KeyError

        def test_it(session):
            pass
        """
    )
    told.assert_outcomes(errors=1)
    told.stdout.fnmatch_lines(["*- sessionary: calls in the namespace *", "*POST /session/start*"])


def test_every_namespace_of_the_test_is_told_of_and_no_passing_test_is(suite: Suite) -> None:
    told = suite(
        """
        def test_passing(sessionary):
            start(sessionary)

        def test_failing(sessionary, make_sessionary):
            make_sessionary()
            assert False
        """,
        "--sessionary-leaks=off",
    )
    titles = [line for line in told.outlines if "- sessionary: calls in" in line]
    assert len(titles) == 2


def test_a_double_that_has_gone_spoils_no_report(suite: Suite) -> None:
    told = suite(
        """
        def test_it(sessionary, sessionary_server):
            sessionary_server.stop()
            assert "mine" == "this"
        """
    )
    told.stdout.fnmatch_lines(["*assert 'mine' == 'this'*", "*(this server was stopped*"])
