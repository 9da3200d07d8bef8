"""Namespaces in the page: what they hold; fork, reset, snapshot, restore, seed, drop."""

import re
import sqlite3
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.control.console.conftest import Console

SEED = """\
[[organizations]]
id = "acme"
name = "Acme"

[[notte.sessions]]
id = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
organization = "acme"
timeout_minutes = 5
created_ago = "1m"
"""


def open_panel(console: Console) -> tuple[Page, Locator]:
    """Open the panel; return the page and the row of the console's own namespace."""
    page = console.open("?panel=namespaces")
    row = page.locator(f"[data-namespace='{console.client.namespace}']")
    expect(row).to_be_visible()
    return page, row


def test_a_namespace_shows_what_it_holds_and_follows_it(console: Console) -> None:
    session = console.start()
    console.start()
    console.call("POST", "/notte/session/close", {"session_id": session})
    console.client.faults.add("notte", "overloaded")
    _, row = open_panel(console)
    expect(row).to_contain_text("(this one)")
    expect(row).to_contain_text("frozen at 2026-03-01 12:00:00 · 1 open of 2 · 3 calls · 1 fault")
    console.picture("namespaces")
    console.call("GET", "/notte/sessions")
    expect(row).to_contain_text("4 calls")


def test_a_fork_is_made_named_after_its_origin_and_opened(console: Console) -> None:
    console.start()
    page, row = open_panel(console)
    row.get_by_role("button", name="Fork").click()
    made = page.get_by_text("is made").get_by_role("link")
    name = made.inner_text()
    fork = page.locator(f"[data-namespace='{name}']")
    expect(fork).to_contain_text(f"fork of {console.client.namespace}")
    assert len(console.client.for_namespace(name).sessions()) == 1
    made.click()
    page.wait_for_url(re.compile(f"/~{name}/_control/console/"))
    expect(page.get_by_role("button", name=f"Namespace {name}")).to_be_visible()


def test_a_reset_and_a_drop_ask_first(console: Console) -> None:
    console.start()
    page, row = open_panel(console)
    row.get_by_role("button", name="Reset").click()
    row.get_by_role("button", name="Cancel").click()
    assert len(console.client.sessions()) == 1
    row.get_by_role("button", name="Reset").click()
    expect(row.get_by_role("button", name="Reset")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{console.client.namespace} is reset.")).to_be_visible()
    assert console.client.sessions() == []
    row.get_by_role("button", name="Drop").click()
    row.get_by_role("button", name="Drop").click()
    page.wait_for_url(re.compile(r"^http://[^/]+/_control/console/"))
    assert console.client.namespace not in console.client.namespaces.list()
    assert all("404 (NOT FOUND)" in each for each in console.watch.take())


def test_a_snapshot_is_downloaded_and_restored(console: Console, tmp_path: Path) -> None:
    console.start()
    page, row = open_panel(console)
    with page.expect_download() as started:
        row.get_by_role("button", name="Snapshot").click()
    assert started.value.suggested_filename == f"{console.client.namespace}.sqlite3"
    file = tmp_path / "t.sqlite3"
    started.value.save_as(file)
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()

    console.client.namespaces.reset()
    page.get_by_text("Restore a snapshot").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("is restored")).to_be_visible()
    assert len(console.client.sessions()) == 1


def test_a_foreign_file_is_refused_and_nothing_changes(console: Console, tmp_path: Path) -> None:
    console.start()
    page, _ = open_panel(console)
    (tmp_path / "t.sqlite3").write_text("no database")
    page.get_by_text("Restore a snapshot").click()
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "t.sqlite3")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert len(console.client.sessions()) == 1
    assert len(console.watch.take()) == 1  # the browser notes the status 400


def test_a_seed_is_applied_and_its_session_appears(console: Console) -> None:
    console.start()
    page, _ = open_panel(console)
    page.get_by_text(f"Seed {console.client.namespace}").click()
    page.get_by_label("Seed file in TOML").fill(SEED)
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("2 rows are seeded.")).to_be_visible()
    assert len(console.client.sessions()) == 2


def test_the_problems_of_a_seed_are_listed_and_their_line_is_selected(console: Console) -> None:
    console.start()
    page, _ = open_panel(console)
    page.get_by_text(f"Seed {console.client.namespace}").click()
    area = page.get_by_label("Seed file in TOML")
    area.fill(SEED.replace("timeout_minutes = 5", "timeout = 5"))
    page.get_by_role("button", name="Apply").click()
    problems = page.get_by_role("alert").get_by_role("listitem")
    expect(problems.first).to_contain_text("line 8: timeout: is not a known field")
    selected = area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert selected == "timeout = 5"
    console.picture("seed_problems")
    for text, line in ((f"{SEED}\n[[widgets]]\nid = 1\n", "[[widgets]]"), (f"{SEED}a =\n", "a =")):
        area.fill(text)
        page.get_by_role("button", name="Apply").click()
        page.wait_for_function(
            "([area, line]) => area.value.slice(area.selectionStart, area.selectionEnd) === line",
            arg=[area.element_handle(), line],
        )
    assert len(console.client.sessions()) == 1
    assert len(console.watch.take()) == 3  # the browser notes the status 400


def test_namespaces_are_found_by_name_and_created(console: Console) -> None:
    console.start()
    page, row = open_panel(console)
    name = f"{console.client.namespace}_new"
    page.get_by_label("Find or create").fill(name)
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Create").click()
    expect(page.locator(f"[data-namespace='{name}']")).to_contain_text("0 open of 0")


def test_a_page_of_a_namespace_that_is_dropped_elsewhere_says_so(console: Console) -> None:
    console.start()
    page, _ = open_panel(console)
    console.client.namespaces.drop()
    said = page.get_by_text(f"The namespace {console.client.namespace} does not exist.")
    expect(said).to_be_visible()
    for gone in ("header", "#lanes", "[data-key]", "[data-namespace]"):
        expect(page.locator(gone)).to_have_count(0)
    said.get_by_role("link").click()
    page.wait_for_url(re.compile(r"^http://[^/]+/_control/console/"))
    assert all("404 (NOT FOUND)" in each for each in console.watch.take())
