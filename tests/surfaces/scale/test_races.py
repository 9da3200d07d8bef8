"""Concurrent calls with real threads on a file: nothing is lost, doubled or miscounted."""

from typing import Any

import pytest

from tests.conftest import MakeApp
from tests.surfaces.concurrency import THREADS, run_concurrently
from tests.surfaces.scale.conftest import Caller, count_rows


@pytest.fixture
def anyone(make_file_app: MakeApp) -> Caller:
    app = make_file_app()
    app.use_real_clock()
    return Caller(app, "k")


def walk(caller: Caller, **query: Any) -> list[str]:
    """Return the ids of all pages, up to the first empty one."""
    found: list[str] = []
    number = 1
    while items := caller.page(page=number, **query)["items"]:
        found += [each["id"] for each in items]
        number += 1
    return found


def test_concurrent_patches_of_dates_never_make_an_invalid_window(anyone: Caller) -> None:
    bodies = [{"start_date": "2026-03-01T00:00:00Z"}, {"end_date": "2026-02-01T00:00:00Z"}]
    for _ in range(10):
        session = anyone.create()

        def patch(number: int, id: str = session["id"]) -> int:
            return anyone.patch(id, bodies[number % 2]).status_code

        statuses = run_concurrently(patch)
        after = anyone.show(session["id"])
        assert ("start_date" in after) != ("end_date" in after)
        assert statuses.count(200) == statuses.count(422) == THREADS // 2


def test_totals_are_exact_after_concurrent_archives_and_restores(anyone: Caller) -> None:
    ids = [anyone.create(f"account-{number % 3}")["id"] for number in range(6)]

    def work(number: int) -> None:
        for step in range(12):
            session_id = ids[(number + step) % len(ids)]
            if (number + step) % 2:
                anyone.delete(session_id)
            else:
                anyone.patch(session_id, {"restore": True, "title": str(step)})

    run_concurrently(work)
    assert sorted(anyone.app.rows("scale_counts")) == count_rows(anyone.app)
    assert len(walk(anyone)) == anyone.page()["total_item_count"]


def test_a_page_and_its_total_come_from_one_snapshot(anyone: Caller) -> None:
    """A list on one page has `total_item_count` items while sessions are archived and restored."""

    def work(number: int) -> list[tuple[int, int]]:
        seen = []
        for _ in range(15):
            if number % 2:
                anyone.delete(anyone.create(f"account-{number}")["id"])
                anyone.create(f"account-{number}")
            else:
                page = anyone.page(limit=10_000)
                seen.append((len(page["items"]), page["total_item_count"]))
        return seen

    pages = [pair for seen in run_concurrently(work) for pair in seen]
    assert len(pages) == 60
    assert all(items == total for items, total in pages)
