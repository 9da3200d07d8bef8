"""Faults in the page: armed by a click, seen on the lanes, disarmed."""

import re

from playwright.sync_api import expect

from tests.control.console.conftest import Console


def test_a_preset_is_armed_by_one_click_and_stands_out_until_a_call_matches(
    console: Console,
) -> None:
    console.start()
    page = console.open("?panel=faults")
    page.get_by_role("button", name="overloaded 529").click()
    armed = page.locator("[data-fault='1']")
    expect(armed).to_have_class("unmatched")
    expect(armed).to_contain_text("no call matched yet")
    expect(page.get_by_role("button", name="Faults 1")).to_be_visible()
    (fault,) = console.client.faults.list()
    assert (fault["preset"], fault["times"]) == ("overloaded", 1)
    console.picture("faults")
    console.call("POST", "/notte/session/start", {})
    expect(armed).to_have_class("spent")
    expect(armed).to_contain_text("hit 1 of 1 time, 1 call matched, spent")


def test_faults_are_disarmed_one_by_one_or_all(console: Console) -> None:
    console.start()
    for preset in ("overloaded", "rate_limited", "unavailable"):
        console.client.faults.add("notte", preset)
    page = console.open("?panel=faults")
    page.get_by_role("button", name="Disarm fault 2").click()
    expect(page.locator("[data-fault]")).to_have_count(2)
    assert [each["id"] for each in console.client.faults.list()] == [1, 3]
    page.get_by_role("button", name="Disarm all").click()
    expect(page.get_by_text("No fault is armed.")).to_be_visible()
    assert console.client.faults.list() == []


def test_a_fault_between_a_and_b_is_drawn_on_the_lanes(console: Console) -> None:
    console.start()
    page = console.open("?panel=faults&a=2026-03-01T12:02:00.000000Z&b=2026-03-01T12:01:00.000000Z")
    lanes = page.locator("canvas.lanes")
    before = lanes.evaluate("canvas => canvas.toDataURL()")
    page.get_by_label("only between A and B").check()
    page.get_by_label("Times").fill("")
    page.get_by_role("button", name="rate_limited 429").first.click()
    expect(page.locator("[data-fault='1']")).to_contain_text("12:01:00 to 12:02:00")
    (fault,) = console.client.faults.list()
    assert (fault["from"], fault["to"], fault["times"]) == (
        "2026-03-01T12:01:00.000000Z",
        "2026-03-01T12:02:00.000000Z",
        None,
    )
    page.wait_for_function(
        "before => document.querySelector('canvas.lanes').toDataURL() !== before", arg=before
    )
    expect(page.get_by_text("A fault acts from 12:01:00 to 12:02:00")).to_be_attached()
    console.picture("fault_window")


def test_another_fault_is_armed_for_a_route(console: Console) -> None:
    console.start()
    page = console.open("?panel=faults")
    page.get_by_text("Another fault").click()
    page.get_by_label("Surface").select_option("notte")
    page.get_by_label("Route").select_option("POST /session/start")
    page.get_by_label("Kind").select_option("latency")
    page.get_by_label("Delay").fill("10ms")
    page.get_by_role("button", name="Arm", exact=True).click()
    expect(page.locator("[data-fault='1']")).to_have_text(
        re.compile("notte latency.*POST /session/start.*delay 10ms")
    )
    (fault,) = console.client.faults.list("notte")
    assert (fault["kind"], fault["delay"]) == ("latency", "10ms")


def test_a_refused_fault_says_why(console: Console) -> None:
    console.start()
    page = console.open("?panel=faults")
    for times, problem in (("0", "must be at least 1"), ("abc", "must be an integer")):
        page.get_by_label("Times").fill(times)
        page.get_by_role("button", name="overloaded 529").click()
        expect(page.get_by_role("alert")).to_contain_text(f"times {problem}")
    assert len(console.watch.take()) == 2  # the browser notes the status 400
    assert console.client.faults.list() == []
