"""Concurrent calls on a file, through two applications like two workers, on each surface."""

from collections.abc import Callable, Mapping
from threading import Barrier
from typing import Any, NamedTuple

import pytest
from werkzeug.test import TestResponse

from sessionary.web.surface import Surface
from tests import identities
from tests.conftest import App
from tests.surfaces import concurrency
from tests.surfaces.callers import LISTS, Caller, each_surface
from tests.surfaces.concurrency import THREADS
from tests.surfaces.mobilenext.api_client import ANDROID, Calls, device
from tests.surfaces.scale.conftest import count_rows

ROUNDS = 10
OLDER = 20


def run_concurrently(
    workers: list[App], vendor: str, act: Callable[[Caller, int], Any], threads: int = THREADS
) -> list[Any]:
    """Run `act(caller, number)` in threads that start together, each with an open connection."""
    ready = Barrier(threads)

    def begin(number: int) -> Any:
        caller = Caller(vendor, workers[number % len(workers)])
        caller.listed()
        ready.wait()
        return act(caller, number)

    return concurrency.run_concurrently(begin, threads)


def seed_devices(app: App, count: int) -> None:
    app.seed("".join(device(f"A-{number}", platform="android") for number in range(count)))


def hold_device(caller: Caller) -> tuple[str, str]:
    id = caller.hold()
    return id, caller.json("GET", f"/api/v1/sessions/{id}")["device"]["id"]


def start_for_few_devices(caller: Caller) -> list[str]:
    seed_devices(caller.app, 3)
    return [caller.start() for _ in range(THREADS)]


def release(caller: Caller, id: str, serial: str) -> TestResponse:
    return caller.call("POST", f"/api/v1/sessions/{id}/devices/{serial}/release")


def allocate(caller: Caller, id: str) -> TestResponse:
    return caller.call("POST", f"/api/v1/sessions/{id}/devices", json={"filters": [ANDROID]})


def is_released(caller: Caller, held: tuple[str, str], won: list[TestResponse]) -> bool:
    shown = caller.json("GET", f"/api/v1/sessions/{held[0]}")
    return bool(shown["releasedAt"] == won[0].json["releasedAt"])


def are_devices_held_once(caller: Caller, _: Any, won: list[TestResponse]) -> bool:
    held = {each.json["device"]["id"] for each in won}
    for session in caller.json("GET", "/api/v1/sessions?limit=3")["data"]:
        assert release(caller, session["id"], session["device"]["id"]).status_code == 202
    return held == {"A-0", "A-1", "A-2"}


class Race(NamedTuple):
    """Callers who want the same; `it` is what `prepare` returns."""

    prepare: Callable[[Caller], Any]
    call: Callable[[Caller, Any, int], TestResponse]  # of a caller with this number
    won: int  # a status, on Scale a count
    lost: int
    is_kept: Callable[[Caller, Any, list[TestResponse]], bool] = lambda *_: True
    winners: int = 1


RACES = {
    "galtea create with one custom id": Race(
        lambda caller: len(caller.listed()),
        lambda caller, it, _: caller.call(
            "POST", "/galtea/sessions", json={"versionId": "v", "customId": f"c{it}"}
        ),
        *(201, 400),
        lambda caller, it, _: len(caller.listed()) == it + 1,
    ),
    "galtea patch to one custom id": Race(
        lambda caller: [caller.start() for _ in range(THREADS)],
        lambda caller, it, number: caller.call(
            "PATCH", f"/galtea/sessions/{it[number]}", json={"customId": it[0]}
        ),
        *(200, 400),
        lambda caller, it, _: len(caller.json("GET", f"/galtea/sessions?customIds={it[0]}")) == 1,
    ),
    "galtea delete": Race(
        Caller.start,
        lambda caller, it, _: caller.call("DELETE", f"/galtea/sessions/{it}"),
        *(204, 404),
        lambda caller, *_: caller.listed() == [],
    ),
    "mobilenext allocate": Race(
        start_for_few_devices,
        lambda caller, it, number: allocate(caller, it[number]),
        *(201, 409),
        are_devices_held_once,
        winners=3,
    ),
    "mobilenext release": Race(
        hold_device, lambda caller, it, _: release(caller, *it), 202, 404, is_released
    ),
    "notte stop": Race(
        lambda caller: caller.json("POST", "/notte/sessions/start", {})["session_id"],
        lambda caller, it, _: caller.call("DELETE", f"/notte/sessions/{it}/stop"),
        *(200, 400),
    ),
    "notte operation that closes": Race(
        Caller.start,
        lambda caller, it, _: caller.call("POST", "/notte/env/observe", json={"session_id": it}),
        *(200, 404),
    ),
    "scale archive": Race(
        Caller.start,
        lambda caller, it, _: caller.call("DELETE", f"/v4/sessions/{it}"),
        *(1, 0),
        lambda caller, *_: (
            caller.app.rows("scale_counts") == [("acme", 0, len(caller.app.rows("scale_sessions")))]
        ),
    ),
}


@pytest.mark.parametrize("name", RACES)
def test_as_many_callers_win_as_can(workers: list[App], name: str) -> None:
    race, vendor = RACES[name], name.split()[0]
    first, second = (Caller(vendor, app) for app in workers)
    for round_ in range(ROUNDS):
        it = race.prepare(first)
        answers = run_concurrently(
            workers[: 1 + round_ % 2],
            vendor,
            lambda caller, number, it=it: race.call(caller, it, number),
        )
        found = [each.json["count"] if vendor == "scale" else each.status_code for each in answers]
        lost = THREADS - race.winners
        assert sorted(found) == sorted([race.won] * race.winners + [race.lost] * lost)
        won = [each for each, outcome in zip(answers, found, strict=True) if outcome == race.won]
        assert race.is_kept(second, it, won)


def walk(caller: Caller, limit: int, query: str = "") -> list[str]:
    """The ids of all pages, the oldest first."""
    if caller.vendor == "mobilenext":
        return Calls(caller.app, identities.key(caller.vendor, "anyone")).walk(limit)[::-1]
    found: list[str] = []
    for page in range(1, 1000):
        place = {
            "galtea": f"sort=createdAt&sort=asc&limit={limit}&offset={len(found)}",
            "notte": f"page={page}&page_size={limit}",
            "scale": f"page={page}&limit={limit}",
        }[caller.vendor]
        shown = caller.json("GET", f"{LISTS[caller.vendor]}?{place}&{query}")
        items = shown if isinstance(shown, list) else shown["items"]
        if not items:
            break
        found += [each["session_id" if caller.vendor == "notte" else "id"] for each in items]
    return found[::-1] if caller.vendor == "notte" else found


def create_and_patch(caller: Caller, number: int) -> str:
    body = {"versionId": "v", "metadata": {"by": number}}
    id = str(caller.json("POST", "/galtea/sessions", body)["id"])
    caller.json("PATCH", f"/galtea/sessions/{id}", {"error": str(number)})
    return id


def create_in_either_version(caller: Caller, number: int) -> str:
    path = ("/notte/session/start", "/notte/sessions/start")[number % 2]
    return str(caller.json("POST", path, {})["session_id"])


def create_in_either_account(caller: Caller, number: int) -> str:
    caller.organization = f"account-{number % 2}"
    return caller.start()


def check_patches(caller: Caller) -> None:
    shown = caller.json("GET", "/galtea/sessions?limit=1000")
    assert all(each["error"] == str(each["metadata"]["by"]) for each in shown)


def check_totals(caller: Caller) -> None:
    total = caller.json("GET", "/v4/sessions")["total_item_count"]
    assert total == len(caller.app.rows("scale_sessions"))
    assert sorted(caller.app.rows("scale_counts")) == count_rows(caller.app)


def read_created_ats(caller: Caller) -> list[int]:
    """The instants of creation as stored, in the order of the inserts."""
    table = "allocations" if caller.vendor == "mobilenext" else "sessions"
    with caller.app.namespace.activate():
        rows = caller.app.namespace.database.run(
            f"SELECT created_at FROM {caller.vendor}_{table} ORDER BY seq"  # noqa: S608
        )
        return [created_at for (created_at,) in rows]


CREATES: Mapping[str, tuple[Callable[[Caller, int], str], Callable[[Caller], None]]] = {
    "galtea": (create_and_patch, check_patches),
    "mobilenext": (lambda caller, _: caller.hold(), lambda _: None),
    "notte": (create_in_either_version, lambda _: None),
    "scale": (create_in_either_account, check_totals),
}


@each_surface
def test_concurrent_creates_are_all_kept_in_order(workers: list[App], surface: Surface) -> None:
    vendor = surface.name
    create, check = CREATES[vendor]
    if vendor == "mobilenext":
        seed_devices(workers[0], THREADS * ROUNDS)
    made = run_concurrently(
        workers,
        vendor,
        lambda caller, number: [create(caller, number + each) for each in range(ROUNDS)],
    )
    ids = [id for own in made for id in own]
    caller = Caller(vendor, workers[1])
    walked = walk(caller, 7)
    assert len(ids) == len(set(ids)) == THREADS * ROUNDS
    assert sorted(walked) == sorted(ids)
    assert all([id for id in walked if id in own] == own for own in made)
    created_ats = read_created_ats(caller)
    assert created_ats == sorted(created_ats)
    check(caller)


@pytest.mark.parametrize(
    ("vendor", "query"),
    [
        ("galtea", ""),
        ("galtea", "versionIds=ver_123"),
        ("mobilenext", ""),
        ("scale", ""),
        ("scale", "account_id=acme"),
    ],
)
def test_a_walk_during_creates_has_each_earlier_session_once(
    workers: list[App], vendor: str, query: str
) -> None:
    """Notte's pages are numbered from the newest session on, so that a new one moves the others."""
    seed_devices(workers[0], OLDER + THREADS * ROUNDS)
    caller = Caller(vendor, workers[0])
    older = [caller.hold() for _ in range(OLDER)]

    def act(caller: Caller, number: int) -> list[str]:
        if number % 2:
            create = CREATES[vendor][0] if vendor == "galtea" else lambda caller, _: caller.hold()
            return [create(caller, number) for _ in range(ROUNDS)]
        for limit in (1, 3, 7):
            walked = walk(caller, limit, query)
            assert walked[:OLDER] == older
            assert len(set(walked)) == len(walked)
            assert walked == older or "versionIds" not in query
        return walked

    results = run_concurrently(workers, vendor, act)
    made = {id for own in results[1::2] for id in own}
    assert set(walk(Caller(vendor, workers[1]), 4)) == {*older, *made}


@each_surface
def test_a_newly_listed_session_is_newer_than_all_listed_ones(
    workers: list[App], surface: Surface
) -> None:
    seed_devices(workers[0], THREADS * ROUNDS)
    over: list[int] = []

    def write(caller: Caller, number: int) -> None:
        try:
            for _ in range(ROUNDS):
                caller.hold()
        finally:
            over.append(number)

    def read(caller: Caller) -> None:
        seen: list[str] = []
        while len(over) < THREADS - 1:
            listed = walk(caller, 100)
            assert listed[: len(seen)] == seen
            seen = listed

    run_concurrently(
        workers,
        surface.name,
        lambda caller, number: write(caller, number) if number else read(caller),
    )
    assert len(walk(Caller(surface.name, workers[0]), 100)) == (THREADS - 1) * ROUNDS


PATCHES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "galtea": (
        "/galtea/sessions",
        {
            "customId": "c",
            "context": {"value": "words"},
            "metadata": {"a": 1},
            "error": "e",
            "stoppingReason": "s",
            "status": "FAILED",
        },
    ),
    "scale": (
        "/v4/sessions",
        {
            "title": "new",
            "state": {"new": True},
            "start_date": "2026-01-01T00:00:00.000000Z",
            "end_date": "2026-02-01T00:00:00.000000Z",
        },
    ),
}


@pytest.mark.parametrize("vendor", PATCHES)
def test_concurrent_patches_of_different_fields_are_all_kept(
    workers: list[App], vendor: str
) -> None:
    sessions, fields = PATCHES[vendor]
    caller = Caller(vendor, workers[0])
    for _ in range(ROUNDS):
        path = f"{sessions}/{caller.start()}"
        bodies = [{name: value} for name, value in fields.items()]
        run_concurrently(
            workers,
            vendor,
            lambda own, number, path=path, bodies=bodies: own.json("PATCH", path, bodies[number]),
            len(fields),
        )
        shown = caller.json("GET", path)
        assert {name: shown[name] for name in fields} == fields
        caller.call("DELETE", path)
