"""Every screen: accessible in both themes, usable at every width, by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.control.console.conftest import Console

SCREENS = ("", "call&call=2", "clock", "diff", "faults", "leaks", "namespaces")
WINDOW = "a=2026-03-01T11:59:00.000000Z&b=2026-03-01T12:06:00.000000Z"
TOO_WIDE = """
[...document.querySelectorAll("body, aside, aside *, header *, .bar *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".sr"))
  .map((one) => one.outerHTML.slice(0, 100))
"""
SIZES = [(1400, 900), (1024, 700), (390, 844)]


def fill(console: Console) -> Console:
    """Make sessions, calls, refused ones among them, and faults."""
    console.id = console.start(session_timeout_minutes=5)
    console.call("POST", "/notte/session/start", {"session_timeout_minutes": "5"})
    console.client.faults.add("notte", "overloaded", times=1)
    console.client.faults.add("galtea", kind="latency", delay="1s", to="2026-03-01T12:04:00Z")
    console.call("POST", "/notte/session/start", {})
    return console


def open_screen(console: Console, screen: str) -> Page:
    """Open a screen and wait until it has its data."""
    page = console.open(f"?sel=notte/{console.id}&{WINDOW}&panel={screen}")
    page.wait_for_load_state("networkidle")
    expect(page.locator("aside")).to_be_visible()
    return page


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_is_accessible_in_both_themes_and_fits_every_width(
    console: Console, screen: str
) -> None:
    page = open_screen(fill(console), screen)
    for theme, rules in (("light", []), ("dark", ["color-contrast"])):
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert console.accessibility_problems(*rules) == [], theme
        console.picture(f"{screen.split('&')[0] or 'main'}-{theme}")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("width => document.body.scrollWidth <= width", arg=width)
        assert page.evaluate(TOO_WIDE) == [], width
        console.picture(f"{screen.split('&')[0] or 'main'}-{width}")


def test_a_panel_is_opened_used_and_closed_by_keyboard_alone(console: Console) -> None:
    fill(console)
    page = open_screen(console, "")
    page.get_by_role("button", name="Faults").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Disarm fault 1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-fault]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Faults")).to_have_count(0)
    page.keyboard.press("w")
    expect(page.get_by_role("region", name="Namespaces")).to_be_visible()
    page.keyboard.press("w")
    expect(page.get_by_role("region", name="Journal")).to_be_visible()


def test_the_session_of_a_link_is_scrolled_into_view(console: Console) -> None:
    ids = [console.start() for _ in range(40)]
    for id in (ids[-1], ids[0]):
        page = console.open(f"?sel=notte/{id}")
        row = page.locator(f"[data-key='notte/{id}']")
        expect(row).to_be_attached()
        expect(page.get_by_role("grid")).to_have_attribute(
            "aria-activedescendant", row.get_attribute("id") or ""
        )
        page.locator("#lanes").evaluate("lanes => lanes.scrollTo(0, 13 * 26)")
        page.wait_for_function("() => document.querySelector('#lanes').scrollTop === 13 * 26")
    assert console.accessibility_problems() == []


def test_a_call_is_opened_by_keyboard_alone(console: Console) -> None:
    fill(console)
    page = open_screen(console, "")
    page.get_by_label("Search calls").focus()
    page.keyboard.press("Tab")  # to the button of the session's calls
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Call")).to_contain_text("3: POST")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Journal")).to_be_visible()
