"""sessionary_boundaries runs a test on both sides of every transition of a session."""

from tests.testing.conftest import Suite


def test_a_test_runs_before_at_and_after_each_transition_on_its_namespace(
    suite: Suite,
) -> None:
    result = suite(
        """
        from sessionary.testing import sessionary_boundaries

        seen = []

        @sessionary_boundaries(start)
        def test_it(sessionary, boundary):
            assert sessionary.clock.now() == boundary.at
            assert status(sessionary, boundary.session) == boundary.status
            close(sessionary, boundary.session)
            seen.append((boundary.offset, boundary.status))

        def test_it_ran_three_times():
            assert seen == [(-1, "active"), (0, "timed_out"), (1, "timed_out")]
        """
    )
    result.assert_outcomes(passed=2)


def test_the_session_may_come_from_the_seed(suite: Suite) -> None:
    result = suite(
        """
        import pytest
        from sessionary.testing import sessionary_boundaries

        SESSION = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
        SEED = f'''
        [[organizations]]
        id = "acme"
        name = "Acme"
        [[notte.sessions]]
        id = "{SESSION}"
        organization = "acme"
        timeout_minutes = 5
        created_ago = "1m"
        last_accessed_ago = "1m"
        '''

        seen = []

        @pytest.mark.sessionary(seed=SEED, now="2026-03-01T12:00:00Z")
        @sessionary_boundaries(SESSION)
        def test_it(boundary):
            seen.append(boundary.at)

        def test_it_ran_around_its_end():
            assert [f"{at:%H:%M:%S.%f}" for at in seen] == [
                "12:04:00.000000", "12:04:00.000001", "12:04:00.000002",
            ]
        """
    )
    result.assert_outcomes(passed=2)


def test_a_failure_names_the_transition_and_the_side(suite: Suite) -> None:
    result = suite(
        """
        import pytest
        from sessionary.testing import sessionary_boundaries

        @pytest.mark.sessionary(now="2026-03-01T12:00:00Z")
        @sessionary_boundaries(lambda namespace: start(namespace, session_timeout_minutes=5))
        def test_it(sessionary, boundary):
            assert status(sessionary, boundary.session) == "active"
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*at 2026-03-01T12:05:00.000001Z, the transition active -> timed_out (idle_timeout) of *"]
    )


def test_a_session_without_coming_transitions_is_refused(suite: Suite) -> None:
    result = suite(
        """
        from sessionary.testing import sessionary_boundaries

        def open_session(namespace):
            return call("POST", "/sessions", namespace.galtea, {"versionId": "ver_123"})["id"]

        @sessionary_boundaries(open_session)
        def test_it():
            pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*session * has no coming transitions to test"])


def test_it_works_with_methods_fixtures_parameters_and_coroutines(suite: Suite) -> None:
    result = suite(
        """
        import pytest
        from sessionary.testing import sessionary_boundaries

        seen = []

        class TestIt:
            @pytest.mark.parametrize("turn", [1, 2])
            @sessionary_boundaries(start)
            def test_method(self, tmp_path, turn):
                seen.append((tmp_path.is_dir(), turn))

        @pytest.mark.asyncio
        @sessionary_boundaries(start)
        async def test_coroutine(sessionary):
            seen.append(sessionary.namespace)

        def test_they_ran():
            assert seen[:6] == [(True, 1)] * 3 + [(True, 2)] * 3
            assert len(seen) == 9
        """
    )
    result.assert_outcomes(passed=4)


def test_sessions_left_open_by_the_runs_are_reported(suite: Suite) -> None:
    result = suite(
        """
        from sessionary.testing import sessionary_boundaries

        @sessionary_boundaries(start)
        def test_it(sessionary):
            sessionary.clock.real()
        """,
        "--sessionary-leaks=error",
    )
    result.assert_outcomes(passed=1, errors=1)
