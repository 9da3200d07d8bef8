"""The plugin together with frozen clocks, event loops, threads and xdist workers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import run_python
from tests.testing.conftest import Suite

# Plugins that import the heavy modules themselves.
OTHERS = ("schemathesis", "hypothesispytest", "anyio", "asyncio", "xdist", "time_machine")

FROZEN = """
import pytest
import {module}

NOON = "2026-03-01T12:00:00+00:00"


@pytest.fixture(scope="session", autouse=True)
def frozen_before_the_double_starts():
    with {frozen} as frozen:
        yield frozen


@pytest.mark.parametrize("turn", range(3))
def test_a_namespace_follows_the_process(sessionary, turn, frozen_before_the_double_starts):
    frozen = frozen_before_the_double_starts
    session = start(sessionary)
    assert sessionary.explain(session)["since"] == "2026-03-0%dT12:00:00.000000Z" % (turn + 1)
    frozen.{move}
    assert status(sessionary, session) == "timed_out"


def test_a_namespace_whose_clock_was_set_does_not(sessionary, frozen_before_the_double_starts):
    frozen = frozen_before_the_double_starts
    sessionary.clock.freeze("2027-01-01T00:00:00Z")
    session = start(sessionary)
    frozen.{move}
    assert status(sessionary, session) == "active"


def test_it_is_stopped_while_frozen(sessionary_server):
    sessionary_server.stop()
"""


@pytest.mark.parametrize(
    ("module", "frozen", "move"),
    [
        ("freezegun", "freezegun.freeze_time(NOON)", "tick(86_400)"),
        ("time_machine", "time_machine.travel(NOON, tick=False)", "shift(86_400)"),
    ],
    ids=["freezegun", "time-machine"],
)
def test_the_double_starts_serves_and_stops_in_a_frozen_process(
    subprocess_suite: Suite, module: str, frozen: str, move: str
) -> None:
    text = FROZEN.format(module=module, frozen=frozen, move=move)
    subprocess_suite(text, "--sessionary-leaks=off").assert_outcomes(passed=5)


def test_a_test_may_freeze_time_after_the_double_has_started(subprocess_suite: Suite) -> None:
    subprocess_suite(
        """
        import freezegun
        import time_machine

        def test_real(sessionary):
            start(sessionary)

        @freezegun.freeze_time("2026-03-01T12:00:00+00:00")
        def test_freezegun(sessionary):
            session = start(sessionary)
            since = sessionary.explain(session)["since"]
            assert since == "2026-03-01T12:00:00.000000Z"

        def test_time_machine(sessionary, time_machine):
            time_machine.move_to("2026-03-02T12:00:00+00:00", tick=False)
            session = start(sessionary)
            assert sessionary.explain(session)["since"] == "2026-03-02T12:00:00.000000Z"
        """,
        "--sessionary-leaks=off",
    ).assert_outcomes(passed=3)


def test_a_double_elsewhere_warns_that_it_does_not_follow_a_frozen_process(
    subprocess_suite: Suite, remote_url: str
) -> None:
    result = subprocess_suite(
        """
        import freezegun

        FREEZE = freezegun.freeze_time("2026-03-01T12:00:00+00:00")

        def test_real(sessionary):
            start(sessionary)

        @FREEZE
        def test_freezegun(sessionary):
            start(sessionary)

        @FREEZE
        def test_freezegun_env(sessionary):
            sessionary.variables()

        def test_time_machine(sessionary, time_machine):
            time_machine.move_to("2026-03-02T12:00:00+00:00", tick=False)
            start(sessionary)

        @FREEZE
        def test_clock_frozen_too(sessionary):
            sessionary.clock.freeze("2026-03-01T12:00:00Z")
            start(sessionary)
        """,
        f"--sessionary-url={remote_url}",
        "--sessionary-leaks=off",
    )
    result.assert_outcomes(passed=2, failed=3)
    warned = f"E*UserWarning: the double at {remote_url} does not follow the time of this process*"
    result.stdout.fnmatch_lines([warned] * 3)


def test_coroutines_can_use_the_fixtures(suite: Suite) -> None:
    suite(
        """
        import asyncio
        import httpx
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def client(sessionary):
            who = {"Authorization": f"Bearer {sessionary.notte.key}"}
            async with httpx.AsyncClient(base_url=sessionary.notte.url, headers=who) as client:
                yield client

        @pytest.mark.asyncio
        async def test_it(sessionary, client):
            sessionary.clock.freeze("2026-03-01T12:00:00Z")
            calls = [client.post("/sessions/start", json={}) for _ in range(20)]
            started = [answer.json()["session_id"] for answer in await asyncio.gather(*calls)]
            sessionary.clock.advance_to_next()
            for session in started:
                assert sessionary.explain(session)["status"] == "timed_out"
            sessionary.journal.assert_called("POST", "/sessions/start", times=20)
        """
    ).assert_outcomes(passed=1)


def test_threads_of_a_test_share_its_namespace(suite: Suite) -> None:
    suite(
        """
        from concurrent.futures import ThreadPoolExecutor

        def test_it(sessionary, make_sessionary):
            namespaces = [sessionary, make_sessionary()] * 20

            def work(namespace):
                session = call("POST", "/sessions/start", namespace.notte, {})["session_id"]
                namespace.clock.advance(seconds=1)
                return namespace.explain(session)["status"]

            with ThreadPoolExecutor(8) as pool:
                assert set(pool.map(work, namespaces)) == {"active"}
            for namespace in namespaces[:2]:
                assert len(namespace.sessions()) == 20
                assert namespace.journal.count("POST", "/sessions/start") == 20
        """,
        "--sessionary-leaks=off",
    ).assert_outcomes(passed=1)


def test_xdist_workers_have_own_doubles(subprocess_suite: Suite, pytester: pytest.Pytester) -> None:
    subprocess_suite(
        """
        from pathlib import Path

        @pytest.mark.parametrize("turn", range(8))
        def test_it(sessionary, worker_id, turn):
            Path(f"{worker_id}.url").write_text(sessionary.url)
            assert sessionary.sessions() == []
            start(sessionary)
        """,
        "-n2",
    ).assert_outcomes(passed=8)
    urls = {path.read_text() for path in pytester.path.glob("gw*.url")}
    assert len(urls) == 2


def test_the_plugin_imports_only_itself() -> None:
    script = (
        "import sys, pytest\nbefore = set(sys.modules)\nimport sessionary.testing.plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    assert run_python(script).split() == [
        "sessionary",
        "sessionary.testing",
        "sessionary.testing.plugin",
    ]


def test_a_suite_that_does_not_use_it_imports_nothing_more(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")  # pytest reads no TOML of a parent folder
    (tmp_path / "test_suite.py").write_text(
        "import sys\n\n\ndef test_it(request):\n"
        "    assert request.config.pluginmanager.hasplugin('sessionary')\n"
        "    heavy = {'flask', 'peewee', 'http.client', 'tomllib', 'sessionary.client'}\n"
        "    assert heavy & set(sys.modules) == set()\n"
    )
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *(f"-pno:{name}" for name in OTHERS),
            "test_suite.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
