"""A double with a token: its page asks for it, keeps it for the tab, and forgets it."""

import json
import os
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sessionary.client import Client
from tests.control.console.conftest import NOON, Console, MakeConsole
from tests.processes import running_double

TOKEN = "open/sesame+1"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_double(SESSIONARY_CONTROL_TOKEN=TOKEN) as process:
        yield process.url


@pytest.fixture
def guarded(make_console: MakeConsole, url: str) -> Iterator[Console]:
    name = Client(url, token=TOKEN).namespaces.create(now=NOON)["name"]
    permissions = ["clipboard-read", "clipboard-write"]
    console = make_console(Client(url, name, TOKEN), permissions=permissions)
    console.start()
    yield console
    assert all("401 (UNAUTHORIZED)" in each for each in console.watch.take())


def enter(page: Page, token: str) -> None:
    page.get_by_label("The control token of this server").fill(token)
    page.get_by_role("button", name="Enter").click()


def kept(page: Page) -> dict[str, str]:
    """Everything that the browser keeps for the page, as text by place."""
    return page.evaluate(
        "({ session: JSON.stringify(sessionStorage), local: JSON.stringify(localStorage),"
        " cookie: document.cookie, address: location.href })"
    )


def test_the_right_token_opens_the_page_and_is_kept_for_the_tab_only(guarded: Console) -> None:
    page = guarded.open()
    expect(page.get_by_label("The control token")).to_be_visible()
    assert guarded.accessibility_problems() == []
    guarded.picture("token")
    enter(page, "wrong")
    expect(page.get_by_role("alert")).to_have_text("This token was refused.")
    enter(page, TOKEN)
    expect(page.locator("[data-call='1']")).to_be_visible()
    found = kept(page)
    assert TOKEN in found.pop("session")
    assert not [place for place, text in found.items() if TOKEN in text or "sesame" in text]
    page.reload()
    expect(page.locator("[data-call='1']")).to_be_visible()


def test_a_token_in_the_fragment_is_taken_out_of_the_address(guarded: Console) -> None:
    page = guarded.open("?panel=clock#token=open%2Fsesame%2B1")
    expect(page.get_by_role("region", name="Clock", exact=True)).to_be_visible()
    found = kept(page)
    assert TOKEN in found["session"]
    assert found["address"].endswith("?panel=clock")
    page.go_back()
    assert "token" not in page.url


def test_a_copied_curl_line_names_the_token_by_its_variable(guarded: Console) -> None:
    (session,) = guarded.client.sessions()
    page = guarded.open(f"?sel=notte/{session['id']}#token={TOKEN}")
    page.get_by_role("button", name="Copy curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    line = page.evaluate("navigator.clipboard.readText()")
    environment = {**os.environ, "SESSIONARY_CONTROL_TOKEN": TOKEN}
    ended = subprocess.run(["sh", "-c", line], check=True, env=environment, capture_output=True)
    assert json.loads(ended.stdout)["status"] == "active", line
    assert "sesame" not in line


def test_a_wrong_token_in_a_link_does_not_replace_the_one_of_the_tab(guarded: Console) -> None:
    page = guarded.open(f"#token={TOKEN}")
    for state in ("?panel=clock#token=wrong", "?panel=clock#token=%zz"):
        guarded.open(state)
        expect(page.get_by_role("region", name="Clock", exact=True)).to_be_visible()
        expect(page.locator("[data-key]")).to_have_count(1)
        assert TOKEN in kept(page)["session"]
        assert "token" not in page.url


def test_a_forgotten_token_is_asked_for_again(guarded: Console) -> None:
    page = guarded.open(f"#token={TOKEN}")
    page.get_by_role("button", name="Forget the token").click()
    expect(page.get_by_label("The control token")).to_be_visible()
    assert "sesame" not in str(kept(page))
    page.reload()
    expect(page.get_by_label("The control token")).to_be_visible()


def test_a_call_sent_again_does_not_carry_the_token_to_a_vendor(guarded: Console) -> None:
    page = guarded.open(f"?panel=call&call=1#token={TOKEN}")
    with page.expect_request(lambda request: "/notte/session/start" in request.url) as sent:
        page.get_by_role("button", name="Send again in a fork").click()
    assert sent.value.headers["authorization"] == "Bearer any"
    expect(page.get_by_text("answered 200")).to_be_visible()
