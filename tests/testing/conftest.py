"""Fixtures that run test suites which use the plugin, as a user's suite would."""

from collections.abc import Callable, Iterator
from textwrap import dedent

import pytest
import requests  # noqa: F401 - pytester would forget it, as below

from sessionary.embedded import EmbeddedServer
from sessionary.factory import create_double

# Imported here because pytester forgets the modules that a suite imports first.
from sessionary.testing import boundaries, namespace, reports, servers  # noqa: F401

Suite = Callable[..., pytest.RunResult]

INI = """
[pytest]
filterwarnings = error
addopts = -ra -p no:cacheprovider -p no:schemathesis -p no:hypothesispytest
asyncio_default_fixture_loop_scope = function
pythonpath = .
"""
CALLS = """
import pytest
import requests

from sessionary.testing import sessionary_boundaries

WHO = {"Authorization": "Bearer anyone"}


def call(method, path, vendor, body=None):
    who = {"Authorization": f"Bearer {vendor.key}"}
    answer = requests.request(method, vendor.url + path, json=body, headers=who, timeout=10)
    return answer.json()


def start(namespace, **body):
    return call("POST", "/session/start", namespace.notte, body)["session_id"]


def status(namespace, session):
    return call("GET", f"/sessions/{session}", namespace.notte)["status"]


def close(namespace, session):
    call("POST", "/session/close", namespace.notte, {"session_id": session})
"""


@pytest.fixture
def write(pytester: pytest.Pytester) -> Callable[..., None]:
    """Write a suite: one module that has the names of CALLS, and warnings as errors."""
    pytester.makeini(INI)
    pytester.makepyfile(calls=CALLS)

    def write_suite(text: str, name: str = "test_suite.py") -> None:
        (pytester.path / name).write_text("from calls import *\n" + dedent(text))

    return write_suite


@pytest.fixture
def suite(pytester: pytest.Pytester, write: Callable[..., None]) -> Suite:
    """Write a suite and run it in this process with the given arguments."""

    def run(text: str, *arguments: str) -> pytest.RunResult:
        names = [each for each in arguments if each.endswith(".py")]
        write(text, *names)
        return pytester.runpytest(*arguments)

    return run


@pytest.fixture
def subprocess_suite(pytester: pytest.Pytester, write: Callable[..., None]) -> Suite:
    """Write a suite and run it in a subprocess with the given arguments."""

    def run(text: str, *arguments: str) -> pytest.RunResult:
        write(text)
        return pytester.runpytest_subprocess(*arguments)

    return run


@pytest.fixture
def remote_url() -> Iterator[str]:
    """The URL of a double outside the suite."""
    with EmbeddedServer(create_double()) as server:
        yield server.url
