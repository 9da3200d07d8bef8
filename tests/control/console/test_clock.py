"""The clock in the page's header: what it shows, and moving it."""

import re

import pytest
from playwright.sync_api import expect

from tests.control.console.conftest import NOON, Console


@pytest.mark.parametrize(
    ("button", "instant"), [("\u22125m", "11:55:00"), ("+1m", "12:01:00"), ("+1h", "13:00:00")]
)
def test_a_button_moves_the_clock(console: Console, button: str, instant: str) -> None:
    console.start()
    page = console.open()
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator("header time")).to_have_text(f"2026-03-01 {instant}")
    assert console.client.clock.get()["now"] == f"2026-03-01T{instant}.000000Z"


def test_n_goes_to_the_next_transition_and_says_when_it_is(console: Console) -> None:
    console.start(session_timeout_minutes=5)
    page = console.open()
    next_button = page.get_by_title("To the next transition (n)")
    expect(next_button).to_have_text("Next in 5:00")
    page.keyboard.press("n")
    expect(next_button).to_have_text("Next none")
    expect(next_button).to_be_disabled()
    assert console.client.clock.get()["now"] == "2026-03-01T12:05:00.000001Z"


def test_a_move_can_be_taken_back_for_ten_seconds(console: Console) -> None:
    console.start()
    console.page.clock.install()
    page = console.open()
    page.get_by_role("button", name="+1h").click()
    page.get_by_role("button", name="Back to 12:00:00").click()
    expect(page.locator("header time")).to_have_text("2026-03-01 12:00:00")
    assert console.client.clock.get()["now"] == "2026-03-01T12:00:00.000000Z"

    page.get_by_role("button", name="+1h").click()
    expect(page.get_by_role("button", name="Back to 12:00:00")).to_be_visible()
    page.clock.fast_forward(10_000)
    expect(page.get_by_role("button", name="Back to 12:00:00")).to_have_count(0)


def test_f_runs_a_frozen_clock_and_freezes_it_again(console: Console) -> None:
    console.start()
    page = console.open()
    mode = page.locator("header .mode")
    expect(mode).to_have_text("frozen")
    page.keyboard.press("f")
    expect(mode).to_have_text("offset")
    page.keyboard.press("f")
    expect(mode).to_have_text("frozen")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_visible()


def test_a_running_clock_is_followed_and_offers_the_transition_after_one_that_has_passed(
    console: Console,
) -> None:
    console.start(session_timeout_minutes=5)
    console.client.clock.advance(minutes=1)
    console.start(session_timeout_minutes=5)
    console.client.clock.scale(600)
    page = console.open()
    page.wait_for_function(
        "() => document.querySelector('header time')?.textContent > '2026-03-01 12:05'"
    )
    next_button = page.get_by_title("To the next transition (n)")
    expect(next_button).to_contain_text("none")
    console.client.clock.freeze(NOON)
    expect(next_button).to_have_text("Next in 5:00")


def test_the_panel_sets_mode_and_instant_and_moves_by_a_duration(console: Console) -> None:
    console.start()
    page = console.open("?panel=clock")
    panel = page.get_by_role("region", name="Clock", exact=True)
    panel.get_by_label("Instant").fill("2026-04-01T00:00:00Z")
    panel.get_by_role("button", name="Set").click()
    expect(page.locator("header time")).to_have_text("2026-04-01 00:00:00")
    panel.get_by_label("Move by").fill("-90s")
    panel.get_by_role("button", name="Move").click()
    expect(page.locator("header time")).to_have_text("2026-03-31 23:58:30")
    panel.get_by_label("Mode").select_option("scaled")
    panel.get_by_label("Seconds per second").fill("60")
    panel.get_by_role("button", name="Set").click()
    expect(page.locator("header .mode")).to_have_text("scaled")
    assert console.client.clock.get()["rate"] == 60
    console.picture("clock")


def test_a_refused_move_says_why(console: Console) -> None:
    console.start()
    page = console.open("?panel=clock")
    page.get_by_label("Move by").fill("soon")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("^by must be a duration such as"))
    assert len(console.watch.take()) == 1  # the browser notes the status 400
