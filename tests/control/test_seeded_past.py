"""What a seed dates has a past, as if it had happened: reads, lists, explanations and diffs."""

from typing import Any

import pytest

from tests.control.conftest import GALTEA, MOBILENEXT, NOTTE, SCALE, Double

ID = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b0{}"
ORGANIZATION = "000000000000000000000001"
PERSON = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
SEED: dict[str, Any] = {
    "organizations": [{"id": ORGANIZATION, "name": "Default"}],
    "users": [
        {"id": PERSON, "name": "Ana", "default_organization": ORGANIZATION}
        | {"memberships": [{"organization": ORGANIZATION, "role": "admin"}]}
    ],
    "devices": [
        {"serial": "A", "platform": "android", "type": "real", "name": "Pixel", "version": "16"}
        | {"provision_seconds": 60}
    ],
    "scale": {
        "sessions": [
            {"id": ID.format(1), "account_id": ORGANIZATION, "created_ago": "2d"}
            | {"archived_ago": "1d", "updated_ago": "12h"}
        ]
    },
    "mobilenext": {
        "sessions": [
            {"id": ID.format(2), "organization": ORGANIZATION, "user": PERSON, "device": "A"}
            | {"created_ago": "2d", "released_ago": "1d"}
        ]
    },
    "notte": {
        "sessions": [
            {"id": ID.format(3), "organization": ORGANIZATION, "created_ago": "2d"}
            | {"last_accessed_ago": "25h", "closed_ago": "1d", "timeout_minutes": 120},
            {"id": ID.format(4), "organization": ORGANIZATION, "created_ago": "2d"},
        ]
    },
    "galtea": {
        "versions": [{"id": "v", "product": "p"}],
        "sessions": [
            {"id": "s", "organization": ORGANIZATION, "version": "v", "created_ago": "2d"}
            | {"last_active_ago": "1d", "deleted_ago": "12h", "status": "FAILED", "error": "no"}
        ],
    },
}
HOUR = 3_600_000_000
STATUSES = {  # by surface and session: each status, from how many microseconds ago on
    ("scale", ID.format(1)): {48 * HOUR: "live", 24 * HOUR: "archived"},
    ("mobilenext", ID.format(2)): {48 * HOUR: "active", 24 * HOUR: "released"},
    ("notte", ID.format(3)): {48 * HOUR: "active", 24 * HOUR: "closed"},
    ("notte", ID.format(4)): {48 * HOUR: "active", 48 * HOUR - HOUR // 12 - 1: "timed_out"},
    ("galtea", "s"): {48 * HOUR: "PENDING", 24 * HOUR: "FAILED", 12 * HOUR: "deleted"},
}
LISTS = {
    "scale": ("/scale/v4/sessions?include_archived=true", SCALE, "items"),
    "mobilenext": ("/mobilenext/api/v1/sessions", MOBILENEXT, "data"),
    "notte": ("/notte/sessions?only_active=False", NOTTE, "items"),
    "galtea": ("/galtea/sessions", GALTEA, ""),
}
# What another seed says of the same sessions.
RESEEDED: dict[str, dict[str, Any]] = {
    "scale": {"created_ago": "36h", "archived_ago": "12h", "updated_ago": "6h"},
    "mobilenext": {"created_ago": "36h", "released_ago": "6h"},
    "notte": {"created_ago": "36h", "last_accessed_ago": "25h", "closed_ago": "25h"},
    "galtea": {"created_ago": "36h", "last_active_ago": "12h", "deleted_ago": "6h"},
}


@pytest.fixture
def seeded(double: Double) -> Double:
    double.post("/namespaces/default/seed", SEED)
    return double


def as_of(text: str) -> dict[str, str]:
    return {"Sessionary-At": text}


def explained(double: Double, key: tuple[str, str], at: str) -> Any:
    path = f"/sessions/{key[0]}/{key[1]}/explain"
    answer = double.call("GET", path, headers=as_of(at))
    return None if answer.status_code == 404 else answer.json["status"]


@pytest.mark.parametrize("key", STATUSES)
def test_a_seeded_session_has_each_status_from_its_instant_on(
    seeded: Double, key: tuple[str, str]
) -> None:
    before = None
    for ago, status in STATUSES[key].items():
        assert explained(seeded, key, f"-{ago + 1}us") == before
        assert explained(seeded, key, f"-{ago}us") == status
        before = status
    assert explained(seeded, key, "-1us") == before


@pytest.mark.parametrize("surface", LISTS)
def test_lists_of_the_past_have_the_seeded_sessions_of_then(seeded: Double, surface: str) -> None:
    path, headers, name = LISTS[surface]
    counts: list[int] = []
    for at in ("-3d", "-36h", "-18h"):
        body: Any = seeded.client.get(path, headers=headers | as_of(at)).json
        counts.append(len(body[name] if name else body))
        if surface == "scale":
            assert body["total_item_count"] == counts[-1]
    count = sum(key[0] == surface for key in STATUSES)
    assert counts == [0, count, count]


def test_totals_of_the_past_count_seeded_sessions_beside_others(double: Double) -> None:
    def totals() -> list[int]:
        path = "/scale/v4/sessions"
        found = [double.client.get(path, headers=SCALE | as_of(at)).json for at in instants]
        return [each["total_item_count"] for each in found]

    body = {"account_id": ORGANIZATION, "title": "t", "state": {}}
    double.client.post("/scale/v4/sessions", json=body, headers=SCALE)
    double.advance("36h")
    double.client.post("/scale/v4/sessions", json=body, headers=SCALE)
    double.advance("1h")
    double.post("/namespaces/default/seed", SEED)
    instants = ["-49h", "-48h", "-38h", "-37h", "-25h", "-24h", "-2h", "-1h", "-1us"]
    assert totals() == [0, 1, 1, 2, 2, 1, 1, 2, 2]


def test_totals_of_the_past_stay_when_the_clock_goes_back_behind_what_seeds_dated(
    double: Double,
) -> None:
    for number, ago in ((1, "1h"), (2, "2h")):
        row = {**SEED["scale"]["sessions"][0], "id": ID.format(number), "archived_ago": ago}
        seed = {**SEED, "scale": {"sessions": [row | {"updated_ago": "0s"}]}}
        double.post("/namespaces/default/seed", seed)
    for by in ("-30m", "-90m", "-1us"):
        double.advance(by)
        path = "/scale/v4/sessions"
        found = double.client.get(path, headers=SCALE | as_of("2026-03-01T09:00:00Z")).json
        assert found["total_item_count"] == len(found["items"]) == 2


def test_a_diff_of_the_past_has_the_seeded_changes_in_order(seeded: Double) -> None:
    changes = seeded.get("/diff?from=2026-01-01T00:00:00Z")["changes"]
    for surface, id in STATUSES:
        mine = [each for each in changes if (each["surface"], each["session"]) == (surface, id)]
        whole = [each for each in mine if each["part"] is None]
        chain = [None, *(each["to_status"] for each in whole)]
        assert [each["from_status"] for each in whole] == chain[:-1]
        expected = [None, *STATUSES[surface, id].values()]
        assert [s for n, s in enumerate(chain) if n == 0 or s != chain[n - 1]] == expected
    assert [each["at"] for each in changes] == sorted(each["at"] for each in changes)


def test_a_seed_that_is_applied_again_changes_nothing_of_the_past(seeded: Double) -> None:
    before = seeded.get("/diff?from=2026-01-01T00:00:00Z")
    seeded.advance("1h")
    seeded.post("/namespaces/default/seed", SEED)
    assert seeded.get("/diff?from=2026-01-01T00:00:00Z") == before


def test_a_known_session_that_a_seed_changes_has_the_past_that_this_seed_dates(
    seeded: Double,
) -> None:
    sessions = {
        surface: {"sessions": [{**row, **facts} for row in SEED[surface]["sessions"]]}
        for surface, facts in RESEEDED.items()
    }
    other: dict[str, Any] = {"name": "other", "now": "2026-03-01T12:00:00Z"}
    other["seed"] = {**SEED, **sessions, "galtea": {**SEED["galtea"], **sessions["galtea"]}}
    seeded.post("/namespaces", other, status=201)
    seeded.advance("1h")
    seeded.client.post("/~other/_control/v1/clock/advance", json={"by": "1h"})
    seeded.post("/namespaces/default/seed", sessions)
    assert _read_past(seeded) == _read_past(seeded, "/~other")


def _read_past(double: Double, prefix: str = "") -> Any:
    """The changes, in order of instants and sessions, and the lists as of many instants."""

    def read(path: str, headers: dict[str, str]) -> Any:
        return double.client.get(prefix + path, headers=headers).json

    changes = read("/_control/v1/diff?from=2026-01-01T00:00:00Z", {})["changes"]
    lists = [(path, headers) for path, headers, _ in LISTS.values()]
    return sorted(changes, key=lambda each: (each["at"], each["session"], each["part"] or "")), [
        read(path, headers | as_of(f"-{hours}h"))
        for path, headers in (*lists, ("/_control/v1/sessions", {}))
        for hours in range(51)
    ]


def test_a_seeded_galtea_session_is_pending_since_its_first_instant(double: Double) -> None:
    double.advance("-1us")  # createdAt has milliseconds
    row = {"id": "s", "organization": ORGANIZATION, "version": "v", "created_ago": "1m"}
    double.post("/namespaces/default/seed", {**SEED, "galtea": {"sessions": [row]}})
    (listed,) = double.get("/sessions?surface=galtea")["sessions"]
    since = "2026-03-01T11:58:59.999000Z"
    assert (listed["status"], listed["since"]) == ("PENDING", since)
    assert explained(double, ("galtea", "s"), since) == "PENDING"
    assert explained(double, ("galtea", "s"), since.replace("999000", "998999")) is None


def test_a_seeded_session_whose_creation_is_moved_behind_another_is_there_now(
    double: Double,
) -> None:
    """Mobile Next gives every session of an instant another `createdAt`."""
    facts = {"organization": ORGANIZATION, "user": PERSON, "created_ago": "0s"}
    rows = [{**facts, "id": ID.format(n), "device": device} for n, device in ((2, "A"), (3, "B"))]
    devices = [*SEED["devices"], {**SEED["devices"][0], "serial": "B"}]
    seed = {**SEED, "devices": devices, "mobilenext": {"sessions": rows}}
    double.post("/namespaces/default/seed", seed)
    found = double.get("/diff?from=2000-01-01T00:00:00Z")["changes"]
    ends = {each["session"]: each["to_status"] for each in found if each["part"] is None}
    assert [ends[row["id"]] for row in rows] == ["active", "active"]
