"""The pytest plugin: a double for the test run, a namespace for each test, and reports.

Fixtures import what they need, so a run without them costs nothing.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sessionary.testing.boundaries import Boundary
    from sessionary.testing.namespace import Namespace
    from sessionary.testing.servers import RemoteServer

__tracebackhide__ = True  # pytest leaves the frames of this module out
_MARKER = (
    "sessionary(name=None, now=None, ids=None, seed=None, faults=(), record=True): the initial "
    "state of the test's namespace. `now` freezes its clock; with a text `ids`, its ids are the "
    "same in every run; `seed` is TOML, a Path relative to the test's folder, or a mapping; each "
    "fault is a mapping of arguments of `faults.add`; `record` is a file for its run, or False: "
    "otherwise a failing test leaves one."
)
_BOUNDARIES_MARKER = "sessionary_boundaries(session): set by sessionary.testing"
_OPTIONS = {"name", "now", "ids", "seed", "faults", "record"}
_NAMESPACES = pytest.StashKey[list[Any]]()
_REPORT = pytest.StashKey[dict[str, list[str]]]()
SCRATCH = pytest.StashKey["dict[int, RemoteServer]"]()
_UNCLOSED = "sessions left open"
_UNMATCHED = "faults that matched no call"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("sessionary")
    group.addoption(
        "--sessionary-url",
        metavar="URL",
        help="use the double at URL instead of one in this process; SESSIONARY_CONTROL_TOKEN is "
        "the token of its control plane",
    )
    group.addoption(
        "--sessionary-leaks",
        choices=("report", "error", "off"),
        default="report",
        help="sessions that a test leaves open: report lists them at the end, error fails the "
        "test, off ignores them (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    config.addinivalue_line("markers", _BOUNDARIES_MARKER)


@pytest.hookimpl(trylast=True)  # the test's own parameters come first in its id
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("sessionary_boundaries")
    if marker is not None:
        from sessionary.testing.collection import find_sides

        sides = find_sides(metafunc.definition, marker.args[0])
        metafunc.parametrize("boundary", sides.values(), ids=sides.keys(), indirect=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    for server in session.stash.get(SCRATCH, {}).values():
        server.stop()


@pytest.fixture(scope="session")
def sessionary_settings() -> dict[str, Any]:
    """Settings of the double, by name. Override this fixture to change them."""
    return {}


@pytest.fixture(scope="session")
def sessionary_server(
    request: pytest.FixtureRequest, sessionary_settings: dict[str, Any]
) -> "Iterator[RemoteServer]":
    """The double of the test run: one in each process, or the one at --sessionary-url."""
    with make_server(request.config, sessionary_settings) as server:
        yield server


@pytest.fixture
def make_sessionary(
    request: pytest.FixtureRequest, sessionary_server: "RemoteServer"
) -> "Iterator[Callable[..., Namespace]]":
    """A function that creates a namespace: `make_sessionary(now=…, seed=…, faults=[…])`."""
    namespaces = request.node.stash.setdefault(_NAMESPACES, [])

    files: list[tuple[Namespace, Path]] = []

    def make(*, record: bool | str | Path = True, **options: Any) -> "Namespace":
        namespace = sessionary_server.namespace(record=record is not False, **options)
        namespaces.append(namespace)
        if not isinstance(record, bool):
            files.append((namespace, request.node.path.parent / record))
        return namespace

    yield make
    for namespace, file in files:
        namespace.save_run(file)
    _finish(request.node, namespaces)


@pytest.fixture
def sessionary(
    request: pytest.FixtureRequest, make_sessionary: "Callable[..., Namespace]"
) -> "Namespace":
    """A new namespace for this test; the marker `sessionary` sets its initial state."""
    return make_sessionary(**marker_options(request.node))


@pytest.fixture
def sessionary_env(sessionary: "Namespace", monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the environment variables that point SDKs at this test's namespace; return them."""
    variables = sessionary.variables()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def boundary(request: pytest.FixtureRequest, sessionary: "Namespace") -> "Boundary":
    """The side of a transition that this item is about: its session, opened, and its instant."""
    if not hasattr(request, "param"):
        pytest.fail("decorate the test with @sessionary_boundaries(session)", pytrace=False)
    return request.param.open(sessionary)  # type: ignore[no-any-return]


@pytest.hookimpl(hookwrapper=True)  # older versions of pytest have no `wrapper`
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    boundary = getattr(item, "funcargs", {}).get("boundary")
    if call.when == "call" and call.excinfo is not None and boundary is not None:
        call.excinfo.value.add_note(str(boundary))
    report: pytest.TestReport = (yield).get_result()
    namespaces = item.stash.get(_NAMESPACES, [])
    if report.failed and namespaces:
        from sessionary.testing.reports import failure_sections, file_name, run_section

        for number, namespace in enumerate(namespaces, 1):
            report.sections += failure_sections(namespace)
            file = _runs_folder(item.config) / f"{file_name(item.nodeid)}-{number}.jsonl"
            report.sections += run_section(namespace, file)
    vars(report)["sessionary"] = item.stash.get(_REPORT, {})  # an xdist worker sends it along


def _runs_folder(config: pytest.Config) -> Path:
    """Return a folder for the runs of failing tests: in pytest's cache, if it has one."""
    from sessionary.testing.reports import temporary_folder

    cache = getattr(config, "cache", None)
    if cache is not None:
        return Path(cache.mkdir("sessionary-runs"))
    return temporary_folder()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for group in terminalreporter.stats.values() for report in group]
    for title in (_UNCLOSED, _UNMATCHED):
        lines_by_test = {
            report.nodeid: report.sessionary[title]
            for report in reports
            if getattr(report, "sessionary", {}).get(title)
        }
        if lines_by_test:
            terminalreporter.section(f"sessionary: {title}")
        for nodeid, lines in lines_by_test.items():
            terminalreporter.write_line(nodeid)
            for line in lines:
                terminalreporter.write_line(f"  {line}")


def make_server(config: pytest.Config, settings: dict[str, Any]) -> "RemoteServer":
    """Make the double at --sessionary-url, or one in this process with these settings."""
    import os

    from sessionary.testing.servers import RemoteServer, Server

    url = config.getoption("--sessionary-url")
    token = os.environ.get("SESSIONARY_CONTROL_TOKEN")
    return RemoteServer(url, token) if url else Server(**settings)


def marker_options(node: pytest.Item) -> dict[str, Any]:
    """Merge the arguments of a test's markers; the closest marker wins."""
    options: dict[str, Any] = {}
    for marker in node.iter_markers("sessionary"):
        if marker.args or not marker.kwargs.keys() <= _OPTIONS:
            pytest.fail(f"write @pytest.mark.{_MARKER}", pytrace=False)
        options = {**marker.kwargs, **options}
    if isinstance(options.get("seed"), Path):
        options["seed"] = node.path.parent / options["seed"]
    return options


def _finish(node: pytest.Item, namespaces: "list[Namespace]") -> None:
    """Report unclosed sessions and unmatched faults of a test, and drop its namespaces."""
    from sessionary.testing.reports import unclosed_sessions, unmatched_faults

    mode = node.config.getoption("--sessionary-leaks")
    checked = [] if mode == "off" else namespaces
    try:
        leaks = [line for namespace in checked for line in unclosed_sessions(namespace)]
        node.stash[_REPORT] = {
            _UNCLOSED: leaks if mode == "report" else [],
            _UNMATCHED: [line for each in namespaces for line in unmatched_faults(each)],
        }
    finally:
        while namespaces:
            namespaces.pop().drop()
    if mode == "error" and leaks:
        pytest.fail("\n  ".join([f"{_UNCLOSED}:", *leaks]), pytrace=False)
