"""The pytest plugin: a double for the run, a namespace for each test, and what is told of it.

Everything but pytest is imported by the fixtures: a run that uses none of them pays nothing.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sessionary.testing.namespace import Namespace
    from sessionary.testing.servers import RemoteServer

_MARKER = (
    "sessionary(now=None, seed=None, faults=()): what the test's namespace begins with. The clock "
    "stands at `now`; `seed` is TOML, a Path from the test's folder, or a mapping; each fault is "
    "a mapping of what `faults.add` takes."
)
_NAMESPACES = pytest.StashKey[list[Any]]()
_TOLD = pytest.StashKey[dict[str, list[str]]]()
_LEFT_OPEN = "sessions left open"
_NEVER_HIT = "faults armed and never hit"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sessionary")
    group.addoption(
        "--sessionary-url",
        metavar="URL",
        help="use the double at URL instead of one in this process; its control plane's token is "
        "taken from SESSIONARY_CONTROL_TOKEN",
    )
    group.addoption(
        "--sessionary-leaks",
        choices=("report", "error", "off"),
        default="report",
        help="what becomes of sessions that a test leaves open: listed at the end, the test's "
        "error, or nothing (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def sessionary_settings() -> dict[str, Any]:
    """The settings of the run's double, by name: override it to have others than the defaults."""
    return {}


@pytest.fixture(scope="session")
def sessionary_server(
    request: pytest.FixtureRequest, sessionary_settings: dict[str, Any]
) -> "Iterator[RemoteServer]":
    """The run's double: one in each worker's process, or the one at --sessionary-url."""
    import os

    from sessionary.testing.servers import RemoteServer, Server

    url = request.config.getoption("--sessionary-url")
    token = os.environ.get("SESSIONARY_CONTROL_TOKEN")
    with RemoteServer(url, token) if url else Server(**sessionary_settings) as server:
        yield server


@pytest.fixture
def make_sessionary(
    request: pytest.FixtureRequest, sessionary_server: "RemoteServer"
) -> "Iterator[Callable[..., Namespace]]":
    """Namespaces of this test: `make_sessionary(now=…, seed=…, faults=[…])`."""
    namespaces = request.node.stash.setdefault(_NAMESPACES, [])

    def make(**given: Any) -> "Namespace":
        namespaces.append(sessionary_server.namespace(**given))
        return namespaces[-1]  # type: ignore[no-any-return]

    yield make
    _end(request.node, namespaces)


@pytest.fixture
def sessionary(
    request: pytest.FixtureRequest, make_sessionary: "Callable[..., Namespace]"
) -> "Namespace":
    """A fresh namespace for this test, as its marker `sessionary` describes it."""
    return make_sessionary(**_marked(request.node))


@pytest.fixture
def sessionary_env(sessionary: "Namespace", monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The vendors' clients find this test's namespace by their environment; gives the variables."""
    variables = sessionary.variables()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.hookimpl(hookwrapper=True)  # as older versions of pytest know it, too
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    report: pytest.TestReport = (yield).get_result()
    namespaces = item.stash.get(_NAMESPACES, [])
    if report.failed and namespaces:
        from sessionary.testing.reports import sections

        report.sections += [section for namespace in namespaces for section in sections(namespace)]
    vars(report)["sessionary"] = item.stash.get(_TOLD, {})  # goes along from an xdist worker


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found]
    for title in (_LEFT_OPEN, _NEVER_HIT):
        told = {
            report.nodeid: report.sessionary[title]
            for report in reports
            if getattr(report, "sessionary", {}).get(title)
        }
        if told:
            terminalreporter.section(f"sessionary: {title}")
        for nodeid, lines in told.items():
            terminalreporter.write_line(nodeid)
            for line in lines:
                terminalreporter.write_line(f"  {line}")


def _marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say of its namespace; the closest one counts."""
    given: dict[str, Any] = {}
    for marker in node.iter_markers("sessionary"):
        if marker.args or not marker.kwargs.keys() <= {"now", "seed", "faults"}:
            pytest.fail(f"write @pytest.mark.{_MARKER}", pytrace=False)
        given = {**marker.kwargs, **given}
    if isinstance(given.get("seed"), Path):
        given["seed"] = node.path.parent / given["seed"]
    return given


def _end(node: pytest.Item, namespaces: "list[Namespace]") -> None:
    """Tell what a test left in its namespaces, and drop them."""
    from sessionary.testing import reports

    wanted = node.config.getoption("--sessionary-leaks")
    try:
        told = {
            _NEVER_HIT: [
                line for namespace in namespaces for line in reports.unmatched_faults(namespace)
            ]
        }
        left = (
            []
            if wanted == "off"
            else [e for namespace in namespaces for e in reports.unclosed_sessions(namespace)]
        )
        node.stash[_TOLD] = told | ({_LEFT_OPEN: left} if wanted == "report" else {})
    finally:
        while namespaces:
            namespaces.pop().drop()
    if wanted == "error" and left:
        pytest.fail("\n  ".join([f"{_LEFT_OPEN}:", *left]), pytrace=False)
