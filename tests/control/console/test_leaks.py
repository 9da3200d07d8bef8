"""Leaks in the page: sessions that are open, with the calls that opened them."""

import re

from playwright.sync_api import expect

from tests.control.console.conftest import Console


def test_open_sessions_are_listed_with_the_calls_that_opened_them(console: Console) -> None:
    ended, leaked = console.start(), console.start()
    console.call("POST", "/notte/session/close", {"session_id": ended})
    page = console.open("?panel=leaks")
    panel = page.get_by_role("region", name="Leaks")
    expect(panel).to_contain_text("1 session open")
    (row,) = panel.get_by_role("listitem").all()
    expect(row).to_have_text(
        re.compile(f"notte {leaked[:14]}.*active since 12:00:00, opened by call 2")
    )
    expect(page.get_by_role("button", name="Leaks 1")).to_be_visible()
    assert console.accessibility_problems() == []
    console.picture("leaks")
    row.get_by_role("button", name="call 2").click()
    expect(page.get_by_role("region", name="Call")).to_contain_text("2: POST /session/start 200")


def test_a_seeded_session_was_opened_by_no_call(console: Console) -> None:
    session = console.start()
    console.client.journal.clear()
    page = console.open("?panel=leaks")
    row = page.get_by_role("region", name="Leaks").get_by_role("listitem")
    expect(row).to_contain_text("opened by no recorded call")
    row.get_by_role("button").click()
    page.wait_for_url(re.compile(f"sel=notte/{session}"))


def test_leaks_are_those_of_the_instant_shown(console: Console) -> None:
    console.start(session_timeout_minutes=5)
    page = console.open("?panel=leaks&at=2026-03-01T12:06:00.000000Z")
    expect(page.get_by_text("0 sessions open.")).to_be_visible()
