"""Differences between two instants in the page."""

import re

from playwright.sync_api import expect

from tests.control.console.conftest import Console

A_TO_B = "&a=2026-03-01T11:59:00.000000Z&b=2026-03-01T12:06:00.000000Z"


def test_the_changes_between_a_and_b_are_listed_by_call_and_by_rule(console: Console) -> None:
    session = console.start(session_timeout_minutes=5)
    console.client.clock.advance(minutes=10)
    page = console.open(f"?panel=diff{A_TO_B}")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_text(re.compile("12:00:00.* → active.*POST /notte/session/start"))
    expect(rows.nth(1)).to_have_text(
        re.compile("12:05:00.000001.*active → timed_out.*idle_timeout")
    )
    assert console.accessibility_problems() == []
    console.picture("diff")
    page.get_by_role("slider", name="Handle B").fill("0")
    expect(rows).to_have_count(0)
    page.get_by_role("button", name="A", exact=True).click()  # to the instant shown
    expect(rows).to_have_count(2)
    assert session


def test_without_handles_the_panel_says_how_to_set_them(console: Console) -> None:
    console.start()
    page = console.open("?panel=diff")
    expect(page.get_by_text("Move the handles A and B")).to_be_visible()
    page.keyboard.press("[")
    page.keyboard.press("]")
    expect(page.get_by_text("0 changes.")).to_be_visible()


def test_the_arrows_move_the_handle_that_has_the_focus(console: Console) -> None:
    id = console.start(session_timeout_minutes=10)
    page = console.open(f"?panel=diff&sel=notte/{id}{A_TO_B}")
    for name, back, on in (("A", "ArrowLeft", "ArrowRight"), ("B", "ArrowDown", "ArrowUp")):
        handle = page.get_by_role("slider", name=f"Handle {name}")
        expect(handle).to_be_visible()
        values = [int(handle.input_value())]
        for key in (on, on, back):
            handle.press(key)
            values.append(int(handle.input_value()))
        assert values[0] < values[1] < values[2] > values[3], values
    expect(page.get_by_text("As of now")).to_be_visible()
    expect(page.locator("[aria-selected=true]")).to_have_attribute("data-key", f"notte/{id}")


def test_a_fork_is_compared_with_its_origin(console: Console) -> None:
    kept, closed = console.start(), console.start()
    fork = console.client.namespaces.fork()["name"]
    console.call("POST", "/notte/session/close", {"session_id": closed})
    made = console.start()
    page = console.open("?panel=diff")
    page.get_by_label("Compare").select_option(fork)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_text(re.compile(f"{closed[:14]}.*closed.*active"))
    expect(rows.nth(1)).to_have_text(re.compile(f"{made[:14]}.*active.*\u2013"))
    expect(page.locator("thead")).to_contain_text(fork)
    assert kept[:14] not in page.locator("tbody").inner_text()
    console.picture("diff_of_namespaces")
