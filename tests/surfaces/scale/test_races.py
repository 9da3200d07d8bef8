"""Concurrent calls with real threads on a file: nothing is lost, doubled or miscounted."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.conftest import MakeApp
from tests.surfaces.concurrency import THREADS, run_concurrently
from tests.surfaces.scale.conftest import Caller


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


def count_rows(caller: Caller) -> list[tuple[Any, ...]]:
    """Count live and archived rows by account."""
    namespace = caller.app.namespace
    with namespace.activate():
        return list(
            namespace.database.run(
                "SELECT account_id, SUM(archived_at IS NULL), SUM(archived_at IS NOT NULL) "
                "FROM scale_sessions GROUP BY account_id ORDER BY account_id"
            )
        )


def test_concurrent_creates_are_all_kept_and_totals_are_exact(anyone: Caller) -> None:
    made = run_concurrently(
        lambda n: [anyone.create(f"account-{(n + i) % 2}")["id"] for i in range(10)]
    )
    ids = {each for some in made for each in some}
    assert len(ids) == THREADS * 10
    assert set(walk(anyone, limit=7)) == ids
    assert anyone.page()["total_item_count"] == len(ids)
    assert sorted(anyone.app.rows("scale_counts")) == count_rows(anyone)


def test_concurrent_patches_of_different_fields_are_both_kept(anyone: Caller) -> None:
    fields = ["title", "state", "start_date", "end_date"]
    values: Sequence[Any] = [
        "new",
        {"new": True},
        "2026-01-01T00:00:00.000000Z",
        "2026-02-01T00:00:00.000000Z",
    ]
    for _ in range(5):
        session = anyone.create()

        def patch(number: int, id: str = session["id"]) -> Any:
            return anyone.patch(id, {fields[number]: values[number]}).status_code

        assert run_concurrently(patch, len(fields)) == [200] * len(fields)
        after = anyone.show(session["id"])
        assert [after[field] for field in fields] == list(values)


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


def test_of_concurrent_deletes_exactly_one_counts(anyone: Caller) -> None:
    for _ in range(5):
        session = anyone.create()
        counts = run_concurrently(lambda _, id=session["id"]: anyone.delete(id).json["count"])
        assert sorted(counts) == [0] * (THREADS - 1) + [1]
    assert anyone.app.rows("scale_counts") == [("acme", 0, 5)]


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
    assert sorted(anyone.app.rows("scale_counts")) == count_rows(anyone)
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


@pytest.mark.parametrize("query", [{}, {"account_id": "acme"}])
def test_a_walk_during_creates_has_earlier_sessions(anyone: Caller, query: dict[str, str]) -> None:
    there = [anyone.create()["id"] for _ in range(20)]

    def work(number: int) -> list[str]:
        if number % 2:
            return [anyone.create()["id"] for _ in range(10)]
        return walk(anyone, limit=3, **query)

    results = run_concurrently(work)
    for walked in results[::2]:
        assert walked[:20] == there
        assert len(set(walked)) == len(walked)
    made = {each for some in results[1::2] for each in some}
    assert set(walk(anyone, limit=3, **query)) == {*there, *made}


def test_concurrent_creates_are_listed_in_order_of_created_at(anyone: Caller) -> None:
    run_concurrently(lambda _: [anyone.create() for _ in range(10)])
    with anyone.app.namespace.activate():
        rows = list(
            anyone.app.namespace.database.run(
                "SELECT created_at, seq FROM scale_sessions ORDER BY seq"
            )
        )
    assert rows == sorted(rows)
