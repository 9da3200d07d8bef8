"""sessionary_boundaries makes an item for each side of every transition of a session."""

import pytest

from tests.testing.conftest import Suite


def test_each_side_of_a_transition_is_an_item_with_its_own_namespace_and_report(
    suite: Suite,
) -> None:
    result = suite(
        """
        @pytest.fixture
        def own_fixture(sessionary):
            print("namespace", sessionary.namespace)

        @sessionary_boundaries(start)
        def test_it(own_fixture, sessionary, boundary):
            assert sessionary.clock.now() == boundary.at
            assert status(sessionary, boundary.session) == boundary.status
            close(sessionary, boundary.session)
            assert boundary.part is None
        """,
        "-v",
        "-s",
    )
    result.assert_outcomes(passed=3)
    sides = ("idle_timeout-before", "idle_timeout-at", "idle_timeout-after")
    result.stdout.fnmatch_lines([f"*::test_it[[]{side}[]] *" for side in sides])
    names = {line.split()[-1] for line in result.outlines if " namespace " in line}
    assert len(names) == 3


def test_one_side_is_selected_by_its_id(suite: Suite) -> None:
    text = """
        @sessionary_boundaries(start)
        def test_it(boundary):
            assert (boundary.offset, boundary.status) == (0, "timed_out")
    """
    suite(text, "-k", "idle_timeout-at").assert_outcomes(passed=1, deselected=2)


def test_only_the_side_that_fails_fails(suite: Suite) -> None:
    result = suite(
        """
        @sessionary_boundaries(start)
        def test_it(sessionary, boundary):
            close(sessionary, boundary.session)
            assert boundary.status == "timed_out"
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["FAILED *::test_it[[]idle_timeout-before[]]*"])


def test_the_parts_of_a_session_have_boundaries(suite: Suite) -> None:
    result = suite(
        """
        @pytest.fixture(scope="session")
        def sessionary_settings():
            return {"mobilenext_lease_minutes": 30}

        SEED = '''
        [[devices]]
        serial = "slow"
        platform = "ios"
        type = "real"
        name = "iPhone"
        version = "99"
        provision_seconds = 60
        '''
        PLATFORM = {"attribute": "platform", "operator": "EQUALS", "value": "ios"}
        VERSION = {"attribute": "version", "operator": "EQUALS", "value": "99"}
        SLOW = {"filters": [PLATFORM, VERSION]}

        def allocate(namespace):
            session = call("POST", "/api/v1/sessions", namespace.mobilenext)["id"]
            call("POST", f"/api/v1/sessions/{session}/devices", namespace.mobilenext, SLOW)
            return session

        @pytest.mark.sessionary(seed=SEED)
        @sessionary_boundaries(allocate)
        def test_it(sessionary, boundary):
            explained = sessionary.explain(boundary.session)
            states = {each["id"]: each["status"] for each in explained["inputs"]["allocations"]}
            states[None] = explained["status"]
            assert states[boundary.part] == boundary.status
            assert len(states) == 2
        """,
        "-v",
    )
    names = ("part-provisioning", "part-lease", "lease")
    sides = [f"{name}-{side}" for name in names for side in ("before", "at", "after")]
    result.assert_outcomes(passed=len(sides))
    result.stdout.fnmatch_lines([f"*::test_it[[]{side}[]] PASSED*" for side in sides])


def test_the_session_may_come_from_the_seed(suite: Suite) -> None:
    result = suite(
        """
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
    result.assert_outcomes(passed=4)


def test_a_failure_names_the_transition_and_the_side(suite: Suite) -> None:
    result = suite(
        """
        @pytest.mark.sessionary(now="2026-03-01T12:00:00Z")
        @sessionary_boundaries(lambda namespace: start(namespace, session_timeout_minutes=5))
        def test_it(sessionary, boundary):
            assert status(sessionary, boundary.session) == "active"
        """
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["E*at 2026-03-01T12:05:00.000001Z, the transition active -> timed_out (idle_timeout) of *"]
    )


def test_a_session_without_coming_transitions_is_refused(suite: Suite) -> None:
    result = suite(
        """
        def open_session(namespace):
            return call("POST", "/sessions", namespace.galtea, {"versionId": "ver_123"})["id"]

        @sessionary_boundaries(open_session)
        def test_it():
            pass

        def test_another():
            pass
        """
    )
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["session * has no coming transitions to test"])


def test_a_session_that_cannot_be_opened_fails_its_test_alone(suite: Suite) -> None:
    result = suite(
        """
        def open_session(namespace):
            raise KeyError("no such plan")

        @sessionary_boundaries(open_session)
        def test_it():
            pass

        def test_another():
            pass
        """
    )
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["E*KeyError: 'no such plan'"])


def test_a_session_that_is_another_one_in_the_run_is_refused(suite: Suite) -> None:
    result = suite(
        """
        opened = []

        def open_session(namespace):
            opened.append(namespace)
            if len(opened) == 1:
                return start(namespace)
            return call("POST", "/api/v1/sessions", namespace.mobilenext)["id"]

        @sessionary_boundaries(open_session)
        def test_it():
            pass
        """
    )
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "when tests were collected the session had the transitions "
            "active -> timed_out (idle_timeout), now it has empty -> expired (empty_session): *"
        ]
    )


@pytest.mark.parametrize("arguments", [(), ("-p", "xdist", "-n", "2")], ids=["here", "xdist"])
def test_it_works_with_methods_fixtures_parameters_and_coroutines(
    subprocess_suite: Suite, arguments: tuple[str, ...]
) -> None:
    result = subprocess_suite(
        """
        class TestIt:
            @pytest.mark.parametrize("turn", [1, 2])
            @sessionary_boundaries(start)
            def test_method(self, tmp_path, turn):
                assert tmp_path.is_dir()
                assert turn in (1, 2)

        @sessionary_boundaries(start)
        class TestAll:
            def test_method(self, boundary):
                assert boundary.session

        @pytest.mark.asyncio
        @sessionary_boundaries(start)
        async def test_coroutine(sessionary, boundary):
            assert sessionary.clock.now() == boundary.at
        """,
        *arguments,
        "-v",
    )
    result.assert_outcomes(passed=12)
    ids = [f"{turn}-idle_timeout-{side}" for turn in (1, 2) for side in ("before", "at", "after")]
    assert all(any(f"TestIt::test_method[{id}]" in line for line in result.outlines) for id in ids)


def test_the_run_and_the_collection_use_the_double_of_the_option(
    suite: Suite, remote_url: str
) -> None:
    result = suite(
        f"""
        seen = []

        def open_session(namespace):
            seen.append(namespace.url)
            return start(namespace)

        @sessionary_boundaries(open_session)
        def test_it():
            assert seen == [{remote_url!r}] * len(seen)
        """,
        "--sessionary-url",
        remote_url,
    )
    result.assert_outcomes(passed=3)


def test_settings_that_need_fixtures_are_refused(suite: Suite) -> None:
    result = suite(
        """
        @pytest.fixture(scope="session")
        def sessionary_settings(tmp_path_factory):
            return {}

        @sessionary_boundaries(start)
        def test_it():
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["sessionary_boundaries reads sessionary_settings while tests*, and take no arguments"]
    )


def test_the_fixture_without_the_decorator_is_refused(suite: Suite) -> None:
    result = suite(
        """
        def test_it(boundary):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["decorate the test with @sessionary_boundaries(session)"])


def test_sessions_left_open_by_the_test_are_reported_but_not_its_own(suite: Suite) -> None:
    result = suite(
        """
        @sessionary_boundaries(start)
        def test_it(sessionary, boundary):
            if boundary.offset == 0:
                start(sessionary)
        """,
        "--sessionary-leaks=error",
    )
    result.assert_outcomes(passed=3, errors=1)


def test_the_decorator_without_a_session_is_refused(suite: Suite) -> None:
    result = suite(
        """
        @sessionary_boundaries
        def test_it(boundary):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E * write @sessionary_boundaries(session) with the id of a*"])


def test_a_function_that_returns_no_id_is_named(suite: Suite) -> None:
    result = suite(
        """
        def open_one(namespace):
            start(namespace)

        @sessionary_boundaries(open_one)
        def test_it(boundary):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["open_one, a function of sessionary_boundaries, must return the id of*, not None"]
    )
