"""Concurrent calls with real threads on a file, through two applications like two workers."""

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from sessionary import clock
from tests.conftest import App
from tests.surfaces import concurrency
from tests.surfaces.concurrency import THREADS
from tests.surfaces.mobilenext.api_client import IOS, Calls, device

ROUNDS = 6


def run_concurrently(workers: list[App], act: Callable[[int, Calls], Any]) -> list[Any]:
    """Run `act(number, calls)` in threads that start together, at one worker or the other."""
    calls = [Calls(workers[number % len(workers)]) for number in range(THREADS)]
    return concurrency.run_concurrently(lambda number: act(number, calls[number]))


def devices(count: int) -> str:
    return "".join(device(f"A-{number}") for number in range(count))


def allocations(app: App) -> list[dict[str, Any]]:
    names = ("seq", "id", "session", "serial", "created_at", "released_at")
    with app.namespace.activate():
        rows = app.namespace.database.run(
            f"SELECT {', '.join(names)} FROM mobilenext_allocations ORDER BY seq"  # noqa: S608
        )
        return [dict(zip(names, row, strict=True)) for row in rows]


def test_no_device_is_ever_in_two_open_allocations(workers: list[App]) -> None:
    workers[0].seed(devices(2))

    def use(_: int, calls: Calls) -> int:
        won = 0
        for _ in range(ROUNDS):
            session = calls.start()
            answer = calls.allocate(session, IOS)
            assert answer.status_code in (201, 409), answer.text
            if answer.status_code == 201:
                won += 1
                assert calls.release(session, answer.json["device"]["id"]).status_code == 202
        return won

    won = sum(run_concurrently(workers, use))
    by_device = defaultdict(list)
    for each in allocations(workers[0]):
        by_device[each["serial"]].append(each)
    assert sum(map(len, by_device.values())) == won >= 2
    for held in by_device.values():
        for former, latter in pairwise(held):
            assert former["created_at"] <= former["released_at"] <= latter["created_at"]


def test_created_at_is_unique_and_in_order_of_listing(workers: list[App]) -> None:
    """The clock is frozen, so that every session would get the same value."""
    with workers[0].namespace.activate():
        clock.set_mode("frozen")
    workers[0].seed(devices(THREADS * ROUNDS))
    own = run_concurrently(
        workers, lambda _, calls: [calls.hold(IOS)["createdAt"] for _ in range(ROUNDS)]
    )
    assert all(each == sorted(each) for each in own)
    found = sorted(value for each in own for value in each)
    assert len(set(found)) == THREADS * ROUNDS
    held = [each["created_at"] for each in allocations(workers[0])]
    assert held == list(range(held[0], held[0] + THREADS * ROUNDS))
    assert [each["createdAt"] for each in Calls(workers[1]).page()["data"]] == found[::-1]


def test_concurrent_releases_end_a_session_with_the_last_one(workers: list[App]) -> None:
    workers[0].seed(devices(THREADS))
    calls = Calls(workers[0])
    held = calls.hold(IOS)
    for _ in range(THREADS - 1):
        calls.allocate(held["id"], IOS)
    answers = run_concurrently(workers, lambda number, own: own.release(held["id"], f"A-{number}"))
    assert {each.status_code for each in answers} == {202}
    ended = max(each.json["releasedAt"] for each in answers)
    assert calls.session(held["id"])["releasedAt"] == ended


def test_an_allocation_beside_the_last_release_succeeds_or_is_409(workers: list[App]) -> None:
    for _ in range(ROUNDS):
        held = Calls(workers[0]).hold()

        def act(number: int, calls: Calls, it: dict[str, Any] = held) -> int:
            if number == 0:
                return calls.release(it["id"], it["device"]["id"]).status_code
            return calls.allocate(it["id"], IOS).status_code

        released, *allocated = run_concurrently(workers, act)
        assert released == 202
        assert set(allocated) <= {201, 409}
        shown = Calls(workers[1]).session(held["id"])
        assert (shown["releasedAt"] is None) == (201 in allocated)
        for each in shown["devices"][1:]:
            Calls(workers[0]).release(held["id"], each["info"]["serial"])


def test_concurrent_allocations_to_one_empty_session_list_it_once(workers: list[App]) -> None:
    workers[0].seed(devices(THREADS))
    session = Calls(workers[0]).start()
    answers = run_concurrently(workers, lambda _, calls: calls.allocate(session, IOS))
    assert {each.status_code for each in answers} == {201}
    shown = Calls(workers[1]).session(session)
    assert len({each["info"]["serial"] for each in shown["devices"]}) == THREADS
    assert shown["createdAt"] == min(each["createdAt"] for each in shown["devices"])
    assert Calls(workers[1]).listed() == [session]
