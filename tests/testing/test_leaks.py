"""Leaks of a test: sessions left open and faults that matched no call."""

import pytest

from tests.testing.conftest import Suite

LEAVES_ONE_OPEN = """
import pytest

def test_it(sessionary):
    start(sessionary, session_timeout_minutes=7)
"""


def test_a_session_left_open_is_listed_at_the_end_with_the_call_that_began_it(
    suite: Suite,
) -> None:
    result = suite(LEAVES_ONE_OPEN)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*= sessionary: sessions left open =*",
            "test_suite.py::test_it",
            "  notte * is active since *; opened by * notte: POST /session/start "
            '{"session_timeout_minutes": 7} -> 200',
        ]
    )


def test_what_a_terminal_would_obey_is_escaped(suite: Suite) -> None:
    body = LEAVES_ONE_OPEN.replace("session_timeout_minutes=7", 'user_agent="a\\u202eb\\x9b"')
    result = suite(body)
    result.stdout.fnmatch_lines([r'*opened by*{"user_agent": "a\u202eb\x9b"} -> 200'])


def test_with_leaks_error_it_fails_the_test(suite: Suite) -> None:
    result = suite(LEAVES_ONE_OPEN, "--sessionary-leaks=error")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["sessions left open:", "*opened by*POST /session/start*"])
    result.stdout.no_fnmatch_line("*= sessionary: sessions left open =*")


def test_with_leaks_off_it_is_ignored(suite: Suite) -> None:
    result = suite(LEAVES_ONE_OPEN, "--sessionary-leaks=off")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*left open*")


@pytest.mark.parametrize(
    "body",
    [
        "close(sessionary, start(sessionary))",
        "start(sessionary); sessionary.clock.freeze(); sessionary.clock.advance(hours=1)",
        "sessionary.seed(SEED)",
        "make_sessionary(seed=SEED)",
        "sessionary.seed(SEED); sessionary.fork(); sessionary.reset()",
        "start(sessionary.fork())",
    ],
)
def test_sessions_that_ended_are_seeded_or_forked_are_no_leaks(suite: Suite, body: str) -> None:
    result = suite(
        f'''
        SEED = """
        [[organizations]]
        id = "acme"
        name = "Acme"
        [[notte.sessions]]
        id = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
        organization = "acme"
        created_ago = "1s"
        last_accessed_ago = "1s"
        """
        def test_it(sessionary, make_sessionary):
            {body}
        ''',
        "--sessionary-leaks=error",
    )
    result.assert_outcomes(passed=1)


def test_sessions_of_the_double_s_seed_are_no_leaks(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    (pytester.path / "acme.toml").write_text(
        '[[organizations]]\nid = "acme"\nname = "Acme"\n'
        '[[notte.sessions]]\nid = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"\norganization = "acme"\n'
        'created_ago = "1s"\nlast_accessed_ago = "1s"\n'
    )
    result = suite(
        """
        @pytest.fixture(scope="session")
        def sessionary_settings():
            return {"seed": "acme.toml"}

        def test_it(sessionary):
            assert len(sessionary.sessions()) == 1
        """,
        "--sessionary-leaks=error",
    )
    result.assert_outcomes(passed=1)


def test_a_mobile_next_session_without_a_device_is_a_leak(suite: Suite) -> None:
    result = suite(
        """
        def test_it(sessionary):
            call("POST", "/api/v1/sessions", sessionary.mobilenext, {})
        """,
        "--sessionary-leaks=error",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*mobilenext * opened by *POST /api/v1/sessions*-> 20?"])


def test_a_session_that_a_fixture_closes_is_not_a_leak(suite: Suite) -> None:
    suite(
        """
        @pytest.fixture
        def session(sessionary):
            session = start(sessionary)
            yield session
            close(sessionary, session)

        def test_it(session):
            pass
        """,
        "--sessionary-leaks=error",
    ).assert_outcomes(passed=1)


def test_a_fault_that_matched_no_call_is_listed_at_the_end(suite: Suite) -> None:
    result = suite(
        """
        def test_it(sessionary):
            for route in ("/session/start", "/session/close"):
                fault = {"method": "POST", "route": route, "status": 503, "times": 1}
                sessionary.faults.add("notte", **fault)
            close(sessionary, "none")
        """
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*= sessionary: faults that matched no call =*",
            "test_suite.py::test_it",
            "  fault 1 for notte POST /session/start: status",
        ]
    )
    result.stdout.no_fnmatch_line("*fault 2*")


def test_xdist_workers_report_leaks_too(subprocess_suite: Suite) -> None:
    result = subprocess_suite(LEAVES_ONE_OPEN, "-n1")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*= sessionary: sessions left open =*", "*opened by*"])


def test_a_suite_without_leaks_gets_no_report(suite: Suite) -> None:
    result = suite("def test_it(sessionary): pass")
    result.stdout.no_fnmatch_line("*sessionary:*")
