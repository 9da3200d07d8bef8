"""The console of a server: without the past or namespaces, and with production data locked."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from sessionary.client import Client
from tests.control.console.conftest import Console, MakeConsole
from tests.processes import running_server
from tests.seed_rows import row

TOKEN = "a-token"
TABLES = ("organizations", "users", "devices", "notte.sessions")
KEY = row("keys", 'secret = "a-secret-of-a-key-0123456789"')
SEED = "\n".join([*map(row, TABLES), KEY])


@contextmanager
def console_of_server(
    make_console: MakeConsole, folder: Path, *options: str, is_empty: bool = False
) -> Iterator[Console]:
    """Open the page of a new server that has a session and calls in its journal."""
    arguments = ("--db", str(folder / "a.sqlite3"), "--auth", "lenient", "--control", *options)
    with running_server(*arguments, SESSIONARY_CONTROL_TOKEN=TOKEN) as process:
        console = make_console(Client(process.url, token=TOKEN))
        if not is_empty:
            console.start(session_timeout_minutes=5)
        console.open(f"#token={TOKEN}")
        expect(console.page.get_by_role("button", name="Server")).to_be_visible()
        try:
            yield console
        finally:
            console.page.goto("about:blank")  # it polls no more


def locked(page: Page) -> list[bool]:
    """Whether the buttons of the clock are disabled."""
    buttons = page.get_by_role("group", name="Clock").get_by_role("button").all()
    return [each.is_disabled() for each in buttons]


def test_a_server_shows_itself_and_says_what_it_has_not(
    make_console: MakeConsole, tmp_path: Path
) -> None:
    with console_of_server(make_console, tmp_path, "--journal") as console:
        console.client.namespaces.seed(SEED)
        page = console.page
        for name in ("Namespace", "Diff"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)
        expect(page.locator("[data-call='1']")).to_contain_text("/session/start")
        page.get_by_role("slider", name="As of").fill("0")
        expect(page.get_by_text("As of now")).to_be_visible()
        expect(page.get_by_text("A server keeps no past.")).to_be_visible()
        page.get_by_role("button", name="Server").click()
        panel = page.get_by_role("region", name="Server")
        expect(panel.get_by_role("definition").first).to_have_text("ready")
        expect(panel).to_contain_text("a.sqlite3, ")
        expect(panel).to_contain_text("A server keeps no log of changes")
        panel.get_by_text("1 key").click()
        panel.get_by_text("1 device").click()
        expect(panel).to_contain_text("iPhone")
        expect(panel).not_to_contain_text("a-secret")
        assert console.accessibility_problems() == []
        console.picture("server")
        console.open("?at=2020-01-01T00:00:00Z&panel=diff")
        expect(page.get_by_text("A server keeps no past: now is shown.")).to_be_visible()
        expect(page.get_by_text("The panel diff does not exist on a server.")).to_be_visible()


def test_production_is_changed_only_after_the_address_was_typed(
    make_console: MakeConsole, tmp_path: Path
) -> None:
    with console_of_server(make_console, tmp_path) as console:
        page = console.page
        expect(page.get_by_text("A server records calls with --journal")).to_be_visible()
        page.keyboard.press("f")
        page.keyboard.press("n")
        assert all(locked(page))
        page.get_by_role("button", name="Locked").click()
        typed = page.get_by_label("to change production data")
        typed.fill("default")
        expect(page.get_by_role("button", name="Unlock")).to_be_disabled()
        typed.fill(urlsplit(console.client.url).netloc)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible()
        assert console.client.clock.get()["mode"] == "real"
        page.get_by_role("button", name="Freeze").click()
        expect(page.locator("header .mode")).to_have_text("frozen")
        page.get_by_role("button", name="Lock", exact=True).click()
        expect(page.get_by_role("button", name="Run", exact=True)).to_be_disabled()


def test_a_read_only_server_offers_no_unlock(make_console: MakeConsole, tmp_path: Path) -> None:
    with console_of_server(make_console, tmp_path, "--control-readonly") as console:
        page = console.page
        page.get_by_role("button", name="Faults").click()
        expect(page.get_by_role("button", name="Read only")).to_be_visible()
        expect(page.get_by_text("the server runs with --control-readonly")).to_be_visible()
        expect(page.get_by_role("button", name="overloaded 529")).to_be_disabled()
        assert page.get_by_role("button", name="Unlock").count() == 0
        assert all(locked(page))
        console.picture("server_readonly")


def test_an_empty_server_is_not_offered_the_demo(make_console: MakeConsole, tmp_path: Path) -> None:
    with console_of_server(make_console, tmp_path, is_empty=True) as console:
        expect(console.page.get_by_text("No sessions yet")).to_be_visible()
        assert console.page.get_by_role("button", name="Load the demo").count() == 0
