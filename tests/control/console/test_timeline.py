"""The timeline: lanes over time, the slider, counts, filters, zoom and the keyboard."""

import random
import re
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sessionary.seeds import demo
from tests.control.console.conftest import Console, MakeConsole
from tests.control.console.pages import expect_status, row, show_at, shown_rows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = 1_772_366_400_000_000
MINUTE = 60_000_000
ID = "00000000-0000-4000-8000-000000000b01"
HOSTILE = {
    "markup": "<img src=x onerror=alert(1)>",
    "bidi": "a\u202eb",
    "long": "x" * 1_000_000,
}


def to_text(at: int) -> str:
    return f"{(EPOCH + timedelta(microseconds=at)).isoformat(timespec='microseconds')[:-6]}Z"


def to_micros(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@pytest.fixture
def seeded(console: Console) -> Console:
    """A console of the demo, which is open."""
    console.client.namespaces.seed(demo.text())
    console.open()
    expect(row(console.page, next(iter(statuses(console))))).to_be_attached()
    return console


def statuses(console: Console, at: int | None = None) -> dict[str, str]:
    """The status of each session by an as-of read, by `surface/id`."""
    query = "sessions?limit=1000"
    headers = {} if at is None else {"Sessionary-At": to_text(at)}
    url = f"{console.client.url}/~{console.client.namespace}/_control/v1/{query}"
    answer = console.page.request.get(url, headers=headers).json()
    return {f"{each['surface']}/{each['id']}": each["status"] for each in answer["sessions"]}


def slide_to(page: Page, share: float) -> None:
    slide = "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')) }"
    page.locator("#slider").evaluate(slide, int(share * 10_000))


def counted(page: Page) -> dict[str, int]:
    """The counts by status that the page shows."""
    chips = page.get_by_role("group", name="Sessions by status").get_by_role("button")
    return {
        status: int(number.replace(",", ""))
        for status, number in (text.rsplit(" ", 1) for text in chips.all_inner_texts())
    }


def test_a_pasted_curl_line_opens_a_session_that_appears(console: Console) -> None:
    page = console.open()
    expect(page.get_by_role("heading", name="No sessions yet")).to_be_visible()
    line = page.locator("article", has_text="Notte").locator("pre", has_text="curl").inner_text()
    assert console.url.removesuffix("/_control/console/") in line
    subprocess.run(["sh", "-c", line], check=True, capture_output=True, timeout=30)
    (key,) = statuses(console)
    expect_status(page, key, "active")
    console.picture("first-session")


def test_the_first_run_loads_the_demo(console: Console) -> None:
    page = console.open()
    console.picture("first-run")
    for title in ("Scale", "Mobile Next", "Notte", "Galtea"):
        article = page.locator("article", has_text=title)
        for kind in ("env", "curl"):
            expect(article.locator(".line", has_text=kind).first).to_be_visible()
        assert article.locator(".line").count() >= 3
    page.get_by_role("button", name="Load the demo").click()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "34")
    found = statuses(console)
    assert len(found) == 30
    assert len({key.partition("/")[0] for key in found}) == 4


def test_the_slider_shows_what_will_be_and_says_why(console: Console) -> None:
    id = console.start(session_timeout_minutes=5)
    page = console.open(f"?sel=notte/{id}")
    expect_status(page, f"notte/{id}", "active")
    page.keyboard.press("Shift+ArrowRight")
    expect_status(page, f"notte/{id}", "timed_out")
    explained = console.client.explain(id, at="2026-03-01T12:05:00.000001Z")
    panel = page.get_by_label("Explain")
    for text in (explained["reason"], explained["rule"], explained["unless"], explained["source"]):
        expect(panel).to_contain_text(text)
    expect(panel.locator("[data-status]")).to_have_text("timed_out")
    page.get_by_role("button", name="One µs before").click()
    expect(panel.locator("[data-status]")).to_have_text("active")
    assert row(page, f"notte/{id}").get_attribute("data-at") == "2026-03-01T12:05:00.000000Z"
    page.get_by_role("button", name="Go to the transition").click()
    expect(panel.locator("[data-status]")).to_have_text("timed_out")
    expect(page).to_have_url(re.compile("at=2026-03-01T12:05:00.000001Z"))
    console.picture("explained")


def test_at_200_instants_the_page_shows_what_an_as_of_read_says(seeded: Console) -> None:
    page, chance = seeded.page, random.Random(13)
    page.set_viewport_size({"width": 1400, "height": 1400})  # all rows are seen
    transitions = [
        to_micros(each["at"]) for each in seeded.client.timeline(limit=1000)["transitions"]
    ]
    edges = [each + by for each in transitions for by in (-1, 0, 1)]
    instants = [NOON + chance.randint(-20 * MINUTE, 20 * MINUTE) for _ in range(200 - len(edges))]
    for at in edges + instants:
        show_at(page, at)
        shown = {each["key"]: each["status"] for each in shown_rows(page) if each["status"]}
        assert shown == statuses(seeded, at), to_text(at)
        assert counted(page) == Counter(shown.values())
    assert len(edges) > 20


def test_an_as_of_read_confirms_what_is_drawn_or_the_page_says_so(seeded: Console) -> None:
    page = seeded.page
    with page.expect_response(re.compile("sessions.*ids=")) as confirmation:
        slide_to(page, 0.9)
    assert confirmation.value.request.headers["sessionary-at"]
    expect(page.get_by_text("Drawn and read differ")).to_have_count(0)
    page.keyboard.press("j")

    def lie(route: Any) -> None:
        answer = route.fetch()
        sessions = [each | {"status": "archived!"} for each in answer.json()["sessions"]]
        route.fulfill(response=answer, json=answer.json() | {"sessions": sessions})

    page.route(re.compile("sessions.*ids="), lie)
    slide_to(page, 0.8)
    expect(page.get_by_role("alert")).to_contain_text("the server says archived!")


def test_filters_leave_the_sessions_that_match(seeded: Console) -> None:
    page, found = seeded.page, statuses(seeded)
    rows = page.locator("[data-key]")
    page.get_by_role("button", name=re.compile("^timed_out")).click()
    expect(rows).to_have_count(sum(status == "timed_out" for status in found.values()))
    expect(page.get_by_label("Filter sessions")).to_have_value("status:timed_out")
    page.get_by_label("Filter sessions").fill("checkout 118")
    expect(rows).to_have_count(1)
    page.get_by_label("Filter sessions").fill("surface:scale")
    expect(rows).to_have_count(6)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(rows).to_have_count(3)
    expect(page).to_have_url(re.compile("q=surface:scale%20is:open"))
    page.reload()
    expect(rows).to_have_count(3)
    page.get_by_label("Filter sessions").fill("nothing has this")
    expect(page.get_by_text("No session matches the filter.")).to_be_visible()


def test_all_is_done_by_the_keyboard_alone(seeded: Console) -> None:
    page, keys = seeded.page, seeded.page.keyboard
    page.locator("#lanes").focus()
    keys.press("j")
    first = page.locator("[aria-selected=true]").get_attribute("data-key")
    keys.press("ArrowDown")
    second = page.locator("[aria-selected=true]").get_attribute("data-key")
    assert first != second
    grid = page.get_by_role("grid")
    assert grid.get_attribute("aria-activedescendant") == page.locator(
        "[aria-selected=true]"
    ).get_attribute("id")
    keys.press("k")
    expect(row(page, str(first))).to_have_attribute("aria-selected", "true")
    keys.press("ArrowRight")
    expect(page.get_by_text(re.compile(r"^As of .*\(\+"))).to_be_visible()
    keys.press("[")
    keys.press("Alt+ArrowRight")
    keys.press("]")
    expect(page).to_have_url(re.compile("&a=.*&b="))
    keys.press("0")
    expect(page.get_by_text("As of now")).to_be_visible()
    keys.press("Enter")
    expect(page.locator("#explain")).to_be_focused()
    keys.press("Escape")
    expect(page.locator("#lanes")).to_be_focused()
    keys.press("+")
    expect(page).to_have_url(re.compile("view="))
    keys.press("-")
    expect(page).not_to_have_url(re.compile("view="))
    keys.press("/")
    keys.type("is:open")
    keys.press("Escape")
    expect(page).to_have_url(re.compile("q=is"))
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("scrub on by 1 %")
    keys.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    assert statuses(seeded) == statuses(seeded, NOON)  # nothing was changed


def test_where_there_are_more_sessions_than_the_page_loads_the_server_searches(
    seeded: Console,
) -> None:
    page = seeded.page
    page.route("**/lanes?limit=10000*", lambda route: route.continue_(
        url=route.request.url.replace("limit=10000", "limit=5")
    ))  # fmt: skip
    page.reload()
    expect(page.locator("[data-key]")).to_have_count(5)
    expect(page.get_by_text("Cut at 5 sessions")).to_be_visible()
    page.get_by_label("Filter sessions").fill("checkout")
    expect(page.locator("[data-key]")).to_have_count(2)
    page.get_by_label("Filter sessions").fill("nothing has this")
    expect(page.get_by_text("No session matches the filter.")).to_be_visible()


def test_the_sessions_of_a_vendor_are_folded_and_unfolded(seeded: Console) -> None:
    page, grid = seeded.page, seeded.page.get_by_role("grid")
    page.locator("#lanes").press("j")
    page.keyboard.press("z")
    expect(grid).to_have_attribute("aria-rowcount", "28")
    expect(page.locator("[data-surface=scale]")).to_contain_text("6 sessions, 3 open, folded")
    page.locator("canvas.lanes").click(position={"x": 40, "y": 12})
    expect(grid).to_have_attribute("aria-rowcount", "34")


FOLD = """
async ([from, to]) => {
  const { fold } = await import(new URL("timeline/scale.js", document.baseURI));
  const { gaps, toU, toTime, end } = fold.value;
  const instants = Array.from({length: 100}, (_, each) => from + (to - from) * each / 99);
  const errors = instants.map((each) => Math.abs(toTime(toU(each)) - each));
  return {gaps, end, error: Math.max(...errors), isRising: instants.every(
    (each, index) => !index || toU(each) > toU(instants[index - 1]))};
}
"""


def test_time_in_which_nothing_changes_is_folded(console: Console) -> None:
    console.start(session_timeout_minutes=5)
    console.client.clock.advance("2d")
    console.start(session_timeout_minutes=5)
    page = console.open()
    expect(page.locator("[data-key]")).to_have_count(2)
    found = page.evaluate(FOLD, [NOON, NOON + 48 * 60 * MINUTE])
    (gap,) = found["gaps"]
    assert NOON + 5 * MINUTE < gap["from"] < gap["to"] < NOON + 48 * 60 * MINUTE
    assert found["end"] < 20 * MINUTE
    assert found["isRising"]
    assert found["error"] < 1000
    console.picture("folded")


@pytest.mark.parametrize(
    ("text", "instant"),
    [("+1h30m", "13:30:00.000000"), ("2026-03-01T14:50:00.5%2B02:00", "12:50:00.500000")],
)
def test_a_link_may_have_an_instant_with_an_offset_or_from_now(
    console: Console, text: str, instant: str
) -> None:
    id = console.start()
    page = console.open(f"?at={text}&sel=notte/{id}")
    expect(row(page, f"notte/{id}")).to_have_attribute("data-at", f"2026-03-01T{instant}Z")
    expect(page).to_have_url(re.compile(f"at=2026-03-01T{instant}Z"))
    expect(page.locator(".notes")).to_have_count(0)


def test_what_a_link_asks_for_and_cannot_be_shown_is_said(console: Console) -> None:
    page = console.open("?at=garbage&view=all&sel=notte/none&panel=no")
    notes = page.locator(".notes")
    for text in (
        "“at=garbage” is not an instant such as 2026-03-01T12:00:00Z or +1h: now is shown.",
        "“view=all” is not a window: all is shown.",
        "The session notte/none does not exist.",
        "The panel no does not exist.",
    ):
        expect(notes.get_by_text(text, exact=True)).to_be_visible()
    notes.get_by_role("button", name="Close").click()
    expect(notes).to_have_count(0)
    expect(page).to_have_url(console.url)


def test_a_link_shows_the_same_to_others(seeded: Console, make_console: MakeConsole) -> None:
    page = seeded.page
    key = next(iter(statuses(seeded)))
    page.locator("#lanes").press("j")
    slide_to(page, 0.75)
    page.keyboard.press("+")
    page.keyboard.press("d")
    expect(page).to_have_url(re.compile("sel=.*view=.*theme="))
    other = make_console(seeded.client).page
    other.goto(page.url)
    expect(row(other, key)).to_have_attribute("aria-selected", "true")
    assert shown_rows(other) == shown_rows(page)
    theme = "document.documentElement.dataset.theme"
    assert other.evaluate(theme) == page.evaluate(theme)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_theme_follows_the_system_and_no_theme_has_accessibility_problems(
    make_console: MakeConsole, scheme: str
) -> None:
    console = make_console(color_scheme=scheme, viewport={"width": 1400, "height": 900})
    console.client.namespaces.seed(demo.text())
    page = console.open()
    expect(page.locator("[data-key]").first).to_be_attached()
    page.keyboard.press("j")
    expect(page.get_by_label("Explain").locator("dl").first).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert console.accessibility_problems() == []
    console.picture(f"main-{scheme}")
    slide_to(page, 0.8)
    expect(page.get_by_text(re.compile(r"^As of .*\(\+"))).to_be_visible()
    console.picture(f"scrubbed-future-{scheme}")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_first_run_has_no_accessibility_problems(
    make_console: MakeConsole, scheme: str
) -> None:
    console = make_console(color_scheme=scheme)
    page = console.open()
    expect(page.locator("article")).to_have_count(4)
    assert console.accessibility_problems() == []
    console.picture(f"first-run-{scheme}")


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1024, 700), (700, 450), (390, 844)])
def test_no_width_scrolls_sideways(make_console: MakeConsole, width: int, height: int) -> None:
    console = make_console(viewport={"width": width, "height": height})
    page = console.open()
    expect(page.locator("article")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    console.client.namespaces.seed(demo.text())
    expect(page.locator("[data-key]").first).to_be_attached()
    page.keyboard.press("j")
    expect(page.get_by_label("Explain").locator("dl").first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    console.picture(f"width-{width}")


def test_hostile_titles_are_text(console: Console) -> None:
    for name, title in HOSTILE.items():
        body = {"title": title, "state": {}, "account_id": "000000000000000000000001"}
        assert "id" in console.call("POST", "/scale/v4/sessions", body), name
    page = console.open()
    rows = page.locator("[data-key]")
    expect(rows).to_have_count(len(HOSTILE))
    expect(rows.nth(0)).to_contain_text("<img src=x onerror=alert(1)>")
    expect(rows.nth(1)).to_contain_text("a⟨U+202E⟩b")
    assert len(rows.nth(2).inner_text()) < 1000
    for _ in HOSTILE:
        page.keyboard.press("j")
        expect(page.get_by_label("Explain").locator("dl").first).to_be_visible()
    assert page.locator("img").count() == 0
    text = "import(new URL('text.js', document.baseURI)).then((text) => text.visible('a\\0b'))"
    assert page.evaluate(text) == "a⟨U+0000⟩b"  # the vendors refuse NUL in titles
    cut = "import(new URL('text.js', document.baseURI)).then((text) => text.shortened(%r, %d))"
    faces = "\U0001f600" * 20
    for length in (12, 13, 14):
        assert set(page.evaluate(cut % (faces, length))) == {"\U0001f600", "…"}
    assert page.evaluate(cut % (ID, 14)) == "0000000…000b01"
    console.picture("hostile")


def test_two_namespaces_in_two_tabs_do_not_mix(make_console: MakeConsole) -> None:
    consoles = [make_console(), make_console()]
    ids = [each.start() for each in consoles]
    for each in consoles:
        each.open()
    for each, id in zip(consoles, ids, strict=True):
        expect(each.page.locator("[data-key]")).to_have_count(1)
        expect_status(each.page, f"notte/{id}", "active")
    ids[0:1] = [ids[0], consoles[0].start()]
    expect(consoles[0].page.locator("[data-key]")).to_have_count(2)
    assert len(shown_rows(consoles[1].page)) == 1
