"""A browser on the console of a double that runs as a process, with a namespace for each test.

Set SCREENSHOTS to a folder to keep the pictures that tests take; a failing test always keeps one.
"""

import os
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from sessionary.client import Client
from sessionary.client.namespaces import DEFAULT
from tests import browser as chromium
from tests.processes import Process, running_double
from tests.sdk_environments.sdk_script import prepared, unavailable

NOON = "2026-03-01T12:00:00Z"
TIMEOUT_MILLISECONDS = 15_000
expect.set_options(timeout=TIMEOUT_MILLISECONDS)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Nothing listens there: requests to other addresses than this host's fail, and leave it never.
NO_WAY_OUT = {"server": "http://127.0.0.1:1", "bypass": "127.0.0.1"}
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Watch:
    """What a page must not do: errors in its console, CSP violations, requests elsewhere."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._problems: list[str] = []
        self._url = f"{url}/"
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._problems.append(str(error.error)))
        context.on("request", lambda request: self._see(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._problems.append(f"{message.text} ({message.location['url']})")

    def _see(self, url: str) -> None:
        if not url.startswith((self._url, "data:", "blob:")):
            self._problems.append(f"request to {url}")

    def take(self) -> list[str]:
        """Return the problems so far and forget them; a test that causes some calls this."""
        taken, self._problems = self._problems, []
        return taken


class Console:
    """The console of one namespace in a page, and that namespace's control plane."""

    def __init__(self, page: Page, client: Client, watch: Watch) -> None:
        self.page = page
        self.client = client
        self.watch = watch
        self.id = ""  # of a session, if the test's fixture starts one
        self.root = client.url
        if client.namespace != DEFAULT:
            self.root += f"/~{client.namespace}"
        self.url = f"{self.root}/_control/console/"

    def open(self, state: str = "") -> Page:
        """Open the console; `state` is a query, such as `?q=open`, or a fragment."""
        self.page.goto(self.url + state)
        return self.page

    def start(self, **body: Any) -> str:
        """Start a Notte session; return its id."""
        return str(self.call("POST", "/notte/session/start", body)["session_id"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make a vendor call in the namespace; return the JSON of its response."""
        headers = {"Authorization": "Bearer any", "x-api-key": "any"}
        answer = self.page.request.fetch(
            self.root + path, method=method, data=body, headers=headers
        )
        return answer.json()

    def picture(self, name: str) -> None:
        """Keep a screenshot, if the run keeps them."""
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def accessibility_problems(self, *rules: str) -> list[str]:
        """Return what axe-core finds wrong with the page, by all rules or by some."""
        axe = prepared("npm").folder / "node_modules/axe-core/axe.min.js"
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe.read_text())
        options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
        found = self.page.evaluate("options => axe.run(options)", options)["violations"]
        return [
            f"{each['help']}: {node['html']} ({node['failureSummary']})"
            for each in found
            for node in each["nodes"]
        ]


@pytest.fixture(scope="package")
def double() -> Iterator[Process]:
    with running_double() as process:
        yield process


# Of this package only: while Playwright runs, its thread can run no other event loop.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for the tests of this process, with an empty profile."""
    path = chromium.find() or unavailable(chromium.MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, proxy=NO_WAY_OUT)
        yield browser
        browser.close()


MakeConsole = Callable[..., Console]


@pytest.fixture
def make_console(browser: Browser, double: Process) -> Iterator[MakeConsole]:
    """Make consoles, each in a browser context of its own; the test fails if a page misbehaves."""
    contexts, watches = [], []

    def make(client: Client | None = None, **options: Any) -> Console:
        if client is None:
            created = Client(double.url).namespaces.create(now=NOON)
            client = Client(double.url, created["name"])
        context = browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        contexts.append(context)
        watches.append(Watch(context, client.url))
        return Console(context.new_page(), client, watches[-1])

    yield make
    for context in contexts:
        context.close()
    assert [problem for watch in watches for problem in watch.take()] == []


@pytest.fixture
def console(make_console: MakeConsole) -> Console:
    return make_console()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    made = item.funcargs.get("console")
    if call.when == "call" and report.failed and isinstance(made, Console):
        folder = os.environ.get("SCREENSHOTS") or tempfile.mkdtemp(prefix="console-")
        path = Path(folder, f"failed-{item.originalname}.png")
        made.page.screenshot(path=path)
        report.sections.append(("screenshot", str(path)))
    return report
