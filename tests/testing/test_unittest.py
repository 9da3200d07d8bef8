"""SessionaryMixin in suites that unittest runs."""

import io
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from sessionary.client.responses import SessionSummary
from sessionary.testing.namespace import Namespace
from sessionary.testing.unittest import SessionaryMixin
from tests.processes import COMMAND, run_command


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    """Run all tests of a class and return the result."""
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    return unittest.TextTestRunner(io.StringIO()).run(suite)


def start(namespace: Namespace) -> None:
    who = {"Authorization": f"Bearer {namespace.notte.key}"}
    requests.post(f"{namespace.notte.url}/session/start", json={}, headers=who, timeout=10)


def test_each_test_has_a_namespace_with_the_options_of_its_class() -> None:
    seen: list[SessionSummary] = []

    class Case(SessionaryMixin):
        sessionary_settings: ClassVar[dict[str, Any]] = {"notte_global_timeout_minutes": 60}
        sessionary_namespace: ClassVar[dict[str, Any]] = {"now": "2026-03-01T12:00:00Z"}

        def test_one(self) -> None:
            assert self.sessionary.sessions() == []
            start(self.sessionary)
            seen.extend(self.sessionary.sessions())

        test_two = test_one

    result = run(Case)
    assert (result.testsRun, result.wasSuccessful()) == (2, True)
    assert [each["since"] for each in seen] == ["2026-03-01T12:00:00.000000Z"] * 2


def test_other_namespaces_and_environment_variables_last_until_the_test_ends() -> None:
    class Case(SessionaryMixin):
        def test_one(self) -> None:
            other = self.make_sessionary()
            variables = self.sessionary_env()
            assert os.environ["NOTTE_API_KEY"] == self.sessionary.notte.key
            assert variables["NOTTE_API_URL"] == self.sessionary.notte.url
            assert other.namespace != self.sessionary.namespace

        def test_two(self) -> None:
            assert "NOTTE_API_KEY" not in os.environ
            assert len(self.sessionary_server.client.namespaces.list()) == 2

    assert run(Case).errors + run(Case).failures == []


def test_a_session_left_open_fails_the_test_if_the_class_says_so() -> None:
    class Case(SessionaryMixin):
        sessionary_fails_on_leaks = True

        def test_one(self) -> None:
            start(self.sessionary)

    class Lenient(Case):
        sessionary_fails_on_leaks = False

    (failure,) = run(Case).failures
    assert "sessions left open:" in failure[1]
    assert "opened by" in failure[1]
    assert run(Lenient).wasSuccessful()


def test_it_works_with_asyncio_test_cases() -> None:
    class Case(SessionaryMixin, unittest.IsolatedAsyncioTestCase):
        async def test_one(self) -> None:
            assert self.sessionary.sessions() == []

    assert run(Case).wasSuccessful()


def test_a_failing_test_leaves_its_run_and_says_how_to_replay_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    class Case(SessionaryMixin):
        def test_failing(self) -> None:
            start(self.sessionary)
            self.fail("as it must")

        def test_passing(self) -> None:
            start(self.sessionary)

    assert len(run(Case).failures) == 1
    (command,) = (line for line in capsys.readouterr().err.splitlines() if "replay" in line)
    file = command.removeprefix("sessionary replay ")
    assert [str(each) for each in tmp_path.glob("sessionary-runs/*")] == [file]
    replayed = run_command(COMMAND, "replay", file)
    assert replayed.stdout == f"1 call of {file} again: all answers are the same\n"
