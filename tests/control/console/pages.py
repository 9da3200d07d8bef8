"""What a page of the console shows, read through the elements that mirror its canvas."""

from typing import Any

from playwright.sync_api import Page, expect

ROWS = """
async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  await frame();
  return [...document.querySelectorAll("[data-key]")].map((row) => ({...row.dataset}));
}
"""
SHOW = """
async (at) => {
  const state = await import(new URL("state.js", document.baseURI));
  state.at.value = at;
}
"""


def shown_rows(page: Page) -> list[dict[str, str]]:
    """Return key, instant and status of each visible lane, when two frames have passed."""
    rows: list[dict[str, str]] = page.evaluate(ROWS)
    return rows


def show_at(page: Page, at: int | None) -> None:
    """Show an instant (microseconds since 1970), as the slider does."""
    page.evaluate(SHOW, at)


def row(page: Page, key: str) -> Any:
    """Return the locator of a lane's row."""
    return page.locator(f'[data-key="{key}"]')


def expect_status(page: Page, key: str, status: str) -> None:
    """Wait until a lane is shown with this status."""
    expect(row(page, key)).to_have_attribute("data-status", status)
