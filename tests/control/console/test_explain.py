"""What can be done with an explained session, and a server that does not answer."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from sessionary.seeds import demo
from tests.control.console.conftest import Console, MakeConsole
from tests.control.console.pages import expect_status, show_at

CLIPBOARD = "navigator.clipboard.readText()"


@pytest.fixture
def explained(make_console: MakeConsole) -> tuple[Console, str]:
    """A console that explains a session, and may use the clipboard."""
    console = make_console(permissions=["clipboard-read", "clipboard-write"])
    id = console.start(session_timeout_minutes=5)
    console.open(f"?sel=notte/{id}")
    expect_status(console.page, f"notte/{id}", "active")
    return console, id


def read(console: Console, path: str, at: str) -> Any:
    url = f"{console.client.url}/~{console.client.namespace}/_control/v1/{path}"
    return console.page.request.get(url, headers={"Sessionary-At": at})


def test_what_is_copied_is_what_the_control_plane_says(explained: tuple[Console, str]) -> None:
    console, id = explained
    page, at = console.page, "2026-03-01T12:05:00.000001Z"
    page.keyboard.press("Shift+ArrowRight")
    expect_status(page, f"notte/{id}", "timed_out")
    for name, path in (("pytest", "pytest"), ("node test", "node")):
        button = page.get_by_role("button", name=f"Copy as {name}")
        button.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        text = read(console, f"sessions/notte/{id}/test?format={path}", at).text()
        assert page.evaluate(CLIPBOARD) == text
        assert '"timed_out"' in text
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    curl = page.evaluate(CLIPBOARD)
    assert f"-H 'Sessionary-At: {at}'" in curl
    assert curl.endswith(f"/~{console.client.namespace}/_control/v1/sessions/notte/{id}/explain'")


def test_a_clock_that_runs_is_followed(explained: tuple[Console, str]) -> None:
    console, id = explained
    expect(console.page.get_by_label("Explain")).to_contain_text("it is active up to")
    console.client.clock.scale(600)  # five minutes in half a second
    expect_status(console.page, f"notte/{id}", "timed_out")
    expect(console.page.get_by_label("Explain")).to_contain_text("it was idle for more than")


def test_a_status_is_forced(explained: tuple[Console, str]) -> None:
    console, id = explained
    page = console.page
    page.get_by_role("button", name="Force…").click()
    page.get_by_role("button", name="Force now").click()
    expect_status(page, f"notte/{id}", "error")
    assert console.client.explain(id)["status"] == "error"


def test_a_seeded_session_has_no_test_to_copy_and_says_why(console: Console) -> None:
    console.client.namespaces.seed(demo.text())
    page = console.open()
    page.locator("#lanes").press("j")
    page.keyboard.press("j")
    for name in ("pytest", "node test"):
        button = page.get_by_role("button", name=f"Copy as {name}")
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", re.compile("^No call in the journal opened"))
    expect(page.get_by_label("Explain").get_by_text("cannot be copied as a test")).to_be_visible()


def test_a_session_that_does_not_exist_yet_is_said_to_be_opened_later(
    explained: tuple[Console, str],
) -> None:
    console, id = explained
    console.client.clock.advance("1h")
    show_at(console.page, 1_772_366_399_999_999)
    expect_status(console.page, f"notte/{id}", "")
    expect(console.page.get_by_label("Explain")).to_contain_text("It is opened later.")


def test_the_page_says_that_the_server_is_gone_and_goes_on_when_it_is_back(
    console: Console,
) -> None:
    id = console.start()
    page = console.open()
    expect_status(page, f"notte/{id}", "active")
    api = re.compile("/_control/v1/")
    page.route(api, lambda route: route.abort())
    expect(page.get_by_text("The server does not answer. This page")).to_be_visible()
    page.get_by_role("button", name="+1m").click()
    expect(page.locator("header").get_by_role("alert")).to_have_text("The server does not answer.")
    page.unroute(api)
    expect(page.get_by_text("The server does not answer. This page")).to_have_count(0)
    other = console.start()
    expect_status(page, f"notte/{other}", "active")
    assert all("ERR_FAILED" in each for each in console.watch.take())
