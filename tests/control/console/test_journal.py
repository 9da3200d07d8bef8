"""The journal and its calls in the page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.control.console.conftest import Console

SEED = """
[[organizations]]
id = "acme"
name = "Acme"

[[notte.sessions]]
id = "{id}"
organization = "acme"
created_ago = "1m"
"""


@pytest.fixture
def busy(console: Console) -> Console:
    """A session started (call 1), a bad start (2), one that met a fault (3), then a later read."""
    console.id = console.start(session_timeout_minutes=5)
    console.call("POST", "/notte/session/start", {"session_timeout_minutes": "5"})
    console.client.faults.add("notte", "overloaded", times=1)
    console.call("POST", "/notte/session/start", {})
    console.client.clock.advance(minutes=2)
    console.call("GET", f"/notte/sessions/{console.id}")
    console.client.clock.advance("-1m")
    return console


def row(page: Page, call: int) -> Locator:
    return page.locator(f"li:has([data-call='{call}'])")


def numbers(page: Page) -> list[int]:
    shown = page.locator("[data-call]").evaluate_all("all => all.map((one) => one.dataset.call)")
    return list(map(int, shown))


def test_calls_are_listed_newest_first_with_those_of_the_session_and_later_ones_marked(
    busy: Console,
) -> None:
    page = busy.open(f"?sel=notte/{busy.id}")
    expect(row(page, 4)).to_have_text(re.compile("GET.*this session.*later.*200"))
    expect(row(page, 4)).to_have_class("later mine")
    expect(row(page, 1)).to_have_class("mine")
    expect(row(page, 2)).to_have_class("bad")
    expect(row(page, 3)).to_have_text(re.compile("529.*fault 1"))
    assert numbers(page) == [4, 3, 2, 1]
    busy.picture("journal")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("browser_type", [4, 1]),
        ("status:4xx", [2]),
        ("status:529", [3]),
        ("method:GET surface:notte", [4]),
        ("nothing like this", []),
    ],
)
def test_calls_are_searched_and_filtered(busy: Console, text: str, found: list[int]) -> None:
    page = busy.open()
    expect(page.locator("[data-call]")).to_have_count(4)
    page.get_by_label("Search calls").fill(text)
    expect(page.locator("[data-call]")).to_have_count(len(found))
    assert numbers(page) == found


def test_a_bad_filter_says_what_to_write_instead(busy: Console) -> None:
    page = busy.open()
    page.get_by_label("Search calls").fill("status:9")
    expect(page.get_by_role("alert")).to_contain_text("must be a status such as 404, or 4xx")
    assert all("400 (BAD REQUEST)" in each for each in busy.watch.take())


def test_a_session_is_found_by_the_beginning_of_its_id_and_an_unknown_field_is_said(
    busy: Console,
) -> None:
    other = busy.start()
    length = 1 + next(
        at for at, (one, two) in enumerate(zip(busy.id, other, strict=True)) if one != two
    )
    page = busy.open()
    expect(page.locator("[data-key]")).to_have_count(2)
    search = page.get_by_label("Search calls")
    search.fill(f"session:{busy.id[:length]}")
    expect(page.locator("[data-call]")).to_have_count(2)
    assert numbers(page) == [4, 1]
    search.fill("verb:GET")
    expect(page.get_by_text("verb is not a field (status, method,")).to_be_visible()
    twin = busy.id[:-2] + ("00" if busy.id[-2:] != "00" else "11")
    busy.client.namespaces.seed(SEED.format(id=twin))
    expect(page.locator("[data-key]")).to_have_count(3)
    search.fill(f"session:{busy.id[:-2]}")
    expect(page.get_by_role("alert")).to_contain_text("is the beginning of 2 ids")


def test_the_calls_of_the_chosen_session_are_found_by_a_click(busy: Console) -> None:
    page = busy.open(f"?sel=notte/{busy.id}")
    page.get_by_role("button", name="This session", exact=True).click()
    expect(page.locator("[data-call]")).to_have_count(2)
    assert numbers(page) == [4, 1]


def test_a_call_shows_its_request_its_response_and_everything_wrong_with_it(busy: Console) -> None:
    page = busy.open()
    page.locator("[data-call='2']").click()
    panel = page.get_by_role("region", name="Call")
    expect(panel).to_contain_text("2: POST /session/start 400")
    expect(panel.locator(".wrong")).to_have_text(
        re.compile(r'body /session_timeout_minutes must be an integer, is "5".*for example 5')
    )
    expect(panel.locator("pre").first).to_have_text(re.compile('"session_timeout_minutes": "5"'))
    expect(panel.locator("pre").last).to_contain_text("must be an integer")
    assert busy.accessibility_problems() == []
    busy.picture("call")
    page.reload()  # the address has the call
    expect(panel).to_contain_text("2: POST /session/start 400")
    page.get_by_role("button", name="All calls").click()
    expect(page.locator("[data-call='2']")).to_be_visible()


def test_a_call_names_the_fault_that_it_met(busy: Console) -> None:
    page = busy.open("?panel=call&call=3")
    panel = page.get_by_role("region", name="Call")
    expect(panel).to_contain_text("fault 1 (status), before its work")
    expect(panel).to_contain_text("so nothing was stored")


def test_the_explanation_leads_to_the_call_that_opened_the_session(busy: Console) -> None:
    page = busy.open(f"?sel=notte/{busy.id}")
    page.get_by_role("button", name="call 1", exact=True).click()
    panel = page.get_by_role("region", name="Call", exact=True)
    expect(panel).to_contain_text("1: POST /session/start 200")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Journal")).to_be_visible()


def test_a_call_is_sent_again_in_a_fork_and_nothing_changes_here(busy: Console) -> None:
    page = busy.open("?panel=call&call=1")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Send again in a fork").click()
    said = page.get_by_role("status").filter(has_text="answered")
    expect(said).to_contain_text("answered 200")
    expect(said).to_be_in_viewport(ratio=0.9)
    fork = busy.client.for_namespace(said.get_by_role("link").inner_text())
    assert (len(busy.client.sessions()), len(fork.sessions())) == (1, 2)
    (sent,) = fork.journal.find()
    (first, *_) = busy.client.journal.find()
    assert (sent["path"], sent["body"]) == (first["path"], first["body"])
    busy.picture("sent_again")


def test_the_journal_follows_the_instant_shown_and_new_calls(busy: Console) -> None:
    page = busy.open("?at=2026-03-01T12:02:00.000000Z")
    expect(row(page, 4)).not_to_have_class(re.compile("later"))
    busy.call("GET", "/notte/sessions/other")
    expect(row(page, 5)).to_be_visible()


def test_a_call_leads_to_its_instant_and_its_session(busy: Console) -> None:
    page = busy.open("?panel=call&call=4")
    panel = page.get_by_role("region", name="Call")
    panel.get_by_title("Show this instant").click()
    panel.get_by_role("button", name=busy.id).click()
    page.wait_for_url(re.compile(f"at=2026-03-01T12:02:00.*sel=notte/{busy.id}"))
