"""What a test leaves behind: sessions that nobody ended, faults that nobody met."""

import pytest

from tests.testing.conftest import Suite

LEAVES_ONE_OPEN = """
import pytest

def test_it(sessionary):
    start(sessionary, session_timeout_minutes=7)
"""


def test_a_session_left_open_is_listed_at_the_end_with_the_call_that_opened_it(
    suite: Suite,
) -> None:
    told = suite(LEAVES_ONE_OPEN)
    told.assert_outcomes(passed=1)
    told.stdout.fnmatch_lines(
        [
            "*= sessionary: sessions left open =*",
            "test_suite.py::test_it",
            "  notte * is active since *; opened by * notte: POST /session/start "
            '{"session_timeout_minutes": 7} -> 200',
        ]
    )


def test_or_it_is_the_test_s_error(suite: Suite) -> None:
    told = suite(LEAVES_ONE_OPEN, "--sessionary-leaks=error")
    told.assert_outcomes(passed=1, errors=1)
    told.stdout.fnmatch_lines(["sessions left open:", "*opened by*POST /session/start*"])
    told.stdout.no_fnmatch_line("*= sessionary: sessions left open =*")


def test_or_nothing(suite: Suite) -> None:
    told = suite(LEAVES_ONE_OPEN, "--sessionary-leaks=off")
    told.assert_outcomes(passed=1)
    told.stdout.no_fnmatch_line("*left open*")


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
def test_what_ended_or_was_seeded_or_is_in_a_copy_is_no_leak(suite: Suite, body: str) -> None:
    told = suite(
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
    told.assert_outcomes(passed=1)


def test_what_the_seed_of_the_double_holds_is_no_leak(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    (pytester.path / "acme.toml").write_text(
        '[[organizations]]\nid = "acme"\nname = "Acme"\n'
        '[[notte.sessions]]\nid = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"\norganization = "acme"\n'
        'created_ago = "1s"\nlast_accessed_ago = "1s"\n'
    )
    told = suite(
        """
        import pytest

        @pytest.fixture(scope="session")
        def sessionary_settings():
            return {"seed": "acme.toml"}

        def test_it(sessionary):
            assert len(sessionary.sessions()) == 1
        """,
        "--sessionary-leaks=error",
    )
    told.assert_outcomes(passed=1)


def test_a_mobile_next_session_that_never_got_a_device_is_a_leak(suite: Suite) -> None:
    told = suite(
        """
        def test_it(sessionary):
            call("POST", "/api/v1/sessions", sessionary.mobilenext, {})
        """,
        "--sessionary-leaks=error",
    )
    told.assert_outcomes(passed=1, errors=1)
    told.stdout.fnmatch_lines(["*mobilenext * opened by *POST /api/v1/sessions*-> 20?"])


def test_a_fixture_of_the_suite_may_close_what_it_opened(suite: Suite) -> None:
    suite(
        """
        import pytest

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


def test_a_fault_that_was_armed_and_never_hit_is_listed_at_the_end(suite: Suite) -> None:
    told = suite(
        """
        def test_it(sessionary):
            for route in ("/session/start", "/session/close"):
                fault = {"method": "POST", "route": route, "status": 503, "times": 1}
                sessionary.faults.add("notte", **fault)
            close(sessionary, "none")
        """
    )
    told.assert_outcomes(passed=1)
    told.stdout.fnmatch_lines(
        [
            "*= sessionary: faults armed and never hit =*",
            "test_suite.py::test_it",
            "  fault 1 of notte POST /session/start: status",
        ]
    )
    told.stdout.no_fnmatch_line("*fault 2*")


def test_the_workers_of_xdist_tell_it_too(suite_apart: Suite) -> None:
    told = suite_apart(LEAVES_ONE_OPEN, "-n1")
    told.assert_outcomes(passed=1)
    told.stdout.fnmatch_lines(["*= sessionary: sessions left open =*", "*opened by*"])


def test_a_suite_that_leaves_nothing_is_told_nothing(suite: Suite) -> None:
    told = suite("def test_it(sessionary): pass")
    told.stdout.no_fnmatch_line("*sessionary:*")
