"""What clients send is text in the page, whatever it contains."""

import pytest
from playwright.sync_api import Dialog, expect

from tests.control.console.conftest import Console

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"
TEXTS = {
    "markup": (MARKUP, MARKUP),
    "an override of direction": ("a\u202eb", "a⟨U+202E⟩b"),
    "a megabyte": ("x" * 1_000_000, "xxxxxxxxxxxxxx…"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_title_is_text_in_every_panel(console: Console, name: str) -> None:
    sent, shown = TEXTS[name]
    dialogs: list[str] = []

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    console.page.on("dialog", close)
    body = {"account_id": "acme", "title": sent, "state": {}}
    id = console.call("POST", "/scale/v4/sessions", body)["id"]
    page = console.open(f"?panel=leaks&sel=scale/{id}")
    expect(page.get_by_role("region", name="Leaks")).to_contain_text(shown[:14])
    page = console.open("?panel=call&call=1")
    expect(page.get_by_role("heading", name="POST /v4/sessions")).to_be_visible()
    if len(sent) < 1000:
        expect(page.locator("pre").first).to_contain_text(shown)
    window = "a=2026-03-01T11:59:00.000000Z&b=2026-03-01T12:01:00.000000Z"
    page = console.open(f"?panel=diff&{window}")
    expect(page.locator("tbody")).to_contain_text(shown[:14])
    assert page.locator("img, iframe, script:not([src])").count() == 0
    assert dialogs == []


def test_a_refused_nul_is_shown_by_its_code(console: Console) -> None:
    console.start()
    console.call("POST", "/scale/v4/sessions", {"account_id": "acme", "title": "a\u0000b"})
    page = console.open("?panel=call&call=2")
    expect(page.locator(".wrong")).to_contain_text("/title")
    expect(page.locator("pre").first).to_contain_text("\\u0000")


def test_a_path_is_text_in_the_journal(console: Console) -> None:
    console.start()
    console.call("GET", "/notte/sessions/%3Cimg%20src=x%20onerror=alert(1)%3E%E2%80%AE")
    page = console.open()
    expect(page.locator("[data-call='2']")).to_contain_text("<img src=x onerror=alert(1)>⟨U+202E⟩")
    assert page.locator("img").count() == 0
