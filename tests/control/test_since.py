"""`since` is the instant at which the present status began, whatever has been written since."""

from typing import Any, NamedTuple

import pytest

from tests.control.conftest import GALTEA, MOBILENEXT, NOTTE, SCALE, Double, MakeDouble

DEVICES = "/mobilenext/api/v1/sessions/{}/devices"
PIXEL = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "android"}]}
ACCOUNT = {"account_id": "a", "title": "t", "state": {}}


def minute(number: int) -> str:
    return f"2026-03-01T12:{number:02}:00.000000Z"


class Vendor(NamedTuple):
    """How a session is made, written without another status, and ended."""

    surface: str
    headers: dict[str, str]
    make: tuple[str, str, Any]
    id: str
    writes: list[tuple[str, str, Any]]
    end: tuple[str, str, Any]
    status: str

    def call(self, double: Double, call: tuple[str, str, Any], id: str = "") -> Any:
        method, path, body = call
        if isinstance(body, dict) and "session_id" in body:
            body = body | {"session_id": id}
        answer = double.client.open(path.format(id), method=method, json=body, headers=self.headers)
        assert answer.status_code < 300, answer.text
        return answer.json

    def start(self, double: Double) -> str:
        return str(self.call(double, self.make)[self.id])


VENDORS = [
    Vendor(
        "scale",
        SCALE,
        ("POST", "/scale/v4/sessions", ACCOUNT),
        "id",
        [("PATCH", "/scale/v4/sessions/{}", {"title": "u"})],
        ("DELETE", "/scale/v4/sessions/{}", None),
        "archived",
    ),
    Vendor(
        "galtea",
        GALTEA,
        ("POST", "/galtea/sessions", {"productId": "p"}),
        "id",
        [
            ("PATCH", "/galtea/sessions/{}", {"metadata": {"a": 1}}),
            ("PATCH", "/galtea/sessions/{}", {"status": "PENDING"}),
        ],
        ("PATCH", "/galtea/sessions/{}/finish", {"stoppingReason": "done"}),
        "COMPLETED",
    ),
    Vendor(
        "notte",
        NOTTE,
        ("POST", "/notte/session/start", {"session_timeout_minutes": 29}),
        "session_id",
        [("POST", "/notte/session/start", {"session_id": ""})],
        ("POST", "/notte/session/close", {"session_id": ""}),
        "closed",
    ),
    Vendor(
        "mobilenext",
        MOBILENEXT,
        ("POST", "/mobilenext/api/v1/sessions", None),
        "id",
        [],
        ("POST", DEVICES, PIXEL),
        "active",
    ),
]
each_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.surface)


def since(double: Double, id: str, **given: Any) -> tuple[str, str]:
    found = double.get(f"/sessions/{id}/explain", **given)
    (listed,) = [each for each in double.get("/sessions", **given)["sessions"] if each["id"] == id]
    assert (listed["status"], listed["since"]) == (found["status"], found["since"])
    return found["status"], found["since"]


@each_vendor
def test_a_write_that_leaves_the_status_leaves_since(double: Double, vendor: Vendor) -> None:
    id = vendor.start(double)
    first = since(double, id)
    for write in vendor.writes:
        double.advance("10m")
        vendor.call(double, write, id)
        assert since(double, id) == first == (first[0], minute(0))


@each_vendor
def test_a_call_that_gives_another_status_begins_it(double: Double, vendor: Vendor) -> None:
    id = vendor.start(double)
    double.advance("10m")
    vendor.call(double, vendor.end, id)
    double.advance("10m")
    assert since(double, id) == (vendor.status, minute(10))
    double.advance("-5m")
    assert since(double, id) == (vendor.status, minute(10))
    double.advance("-10m")  # no status begins later than the instant of the read
    assert since(double, id) == (vendor.status, minute(5))


@each_vendor
def test_since_is_the_instant_of_the_call_though_the_clock_was_moved_back(
    double: Double, vendor: Vendor
) -> None:
    id = vendor.start(double)
    for write in vendor.writes:
        double.advance("8m")
        vendor.call(double, write, id)
    double.advance("-2m" if vendor.writes else "3m")
    at = double.get("/clock")["now"]
    vendor.call(double, vendor.end, id)
    double.advance("10m")
    assert since(double, id) == (vendor.status, at)


@pytest.mark.parametrize(
    ("vendor", "status"), [(VENDORS[1], "FAILED"), (VENDORS[2], "error")], ids=["galtea", "notte"]
)
def test_a_forced_status_begins_when_it_is_forced(
    double: Double, vendor: Vendor, status: str
) -> None:
    id = vendor.start(double)
    double.advance("10m")
    vendor.call(double, vendor.writes[0], id)
    double.advance("-3m")
    double.post(f"/sessions/{vendor.surface}/{id}/force", {"status": status})
    double.advance("10m")
    assert since(double, id) == (status, minute(7))


def test_a_failed_galtea_session_stays_so_since_it_failed(double: Double) -> None:
    vendor = VENDORS[1]
    id = vendor.start(double)
    double.post(f"/sessions/galtea/{id}/force", {"status": "FAILED"})
    double.advance("5m")
    vendor.call(double, vendor.writes[0], id)
    vendor.call(double, ("PATCH", "/galtea/sessions/{}", {"status": "FAILED"}), id)
    assert since(double, id) == ("FAILED", minute(0))
    vendor.call(double, ("PATCH", "/galtea/sessions/{}", {"status": "PENDING"}), id)
    assert since(double, id) == ("PENDING", minute(5))
    double.advance("5m")
    vendor.call(double, ("DELETE", "/galtea/sessions/{}", None), id)
    double.advance("5m")
    assert since(double, id) == ("deleted", minute(10))


def test_a_galtea_session_that_closed_by_itself_begins_with_the_patch_that_reopens_it(
    make_double: MakeDouble,
) -> None:
    double, vendor = make_double(galtea_auto_close_minutes=5), VENDORS[1]
    kept, reopened = vendor.start(double), vendor.start(double)
    double.advance("8m")
    assert since(double, kept) == ("COMPLETED", minute(5))
    vendor.call(double, ("PATCH", "/galtea/sessions/{}", {"status": "COMPLETED"}), kept)
    vendor.call(double, vendor.writes[0], reopened)
    double.advance("2m")
    assert since(double, kept) == ("COMPLETED", minute(5))
    assert since(double, reopened) == ("PENDING", minute(8))


def test_an_archived_scale_session_that_is_restored_is_live_since_then(double: Double) -> None:
    vendor = VENDORS[0]
    id = vendor.start(double)
    double.advance("5m")
    vendor.call(double, ("PATCH", vendor.end[1], {"archived_at": "2031-01-01T00:00:00Z"}), id)
    assert since(double, id) == ("archived", minute(5))
    double.advance("5m")
    again = {"restore": True, "archived_at": "2030-01-01T00:00:00Z"}
    vendor.call(double, ("PATCH", vendor.end[1], again), id)
    assert since(double, id) == ("archived", minute(5))
    vendor.call(double, ("PATCH", vendor.end[1], {"restore": True}), id)
    double.advance("5m")
    vendor.call(double, vendor.writes[0], id)
    vendor.call(double, ("PATCH", vendor.end[1], {"restore": True}), id)
    assert since(double, id) == ("live", minute(10))


def test_a_mobile_next_session_begins_anew_with_its_first_device_and_its_last_release(
    double: Double,
) -> None:
    vendor = VENDORS[3]
    others = [vendor.start(double) for _ in range(2)]
    id = vendor.start(double)
    for each in (*others, id):  # their `createdAt` are microseconds apart
        vendor.call(double, vendor.end, each)
    double.advance("5m")
    vendor.call(double, vendor.end, id)
    assert since(double, id) == ("active", minute(0))
    first, second = double.client.get(DEVICES.format(id), headers=MOBILENEXT).json["data"]
    path = f"{DEVICES}/{{}}/release"
    double.client.post(path.format(id, first["id"]), headers=MOBILENEXT)
    double.advance("-2m")
    double.client.post(path.format(id, second["id"]), headers=MOBILENEXT)
    double.advance("10m")
    assert since(double, id) == ("released", minute(3))


def test_a_mobile_next_session_is_active_again_since_it_was_reopened(double: Double) -> None:
    vendor = VENDORS[3]
    id = vendor.start(double)
    vendor.call(double, vendor.end, id)
    double.advance("5m")
    (held,) = double.client.get(DEVICES.format(id), headers=MOBILENEXT).json["data"]
    double.client.post(f"{DEVICES.format(id)}/{held['id']}/release", headers=MOBILENEXT)
    double.advance("5m")
    vendor.call(double, vendor.end, id)
    double.advance("5m")
    vendor.call(double, vendor.end, id)  # a further device leaves the status
    assert since(double, id) == ("active", minute(10))
    for at, expected in (
        (4, ("active", minute(0))),
        (7, ("released", minute(5))),
        (12, ("active", minute(10))),
    ):
        assert since(double, id, headers={"Sessionary-At": minute(at)}) == expected
    changes = double.get(f"/diff?from={minute(6)}")["changes"]
    assert [(each["from_status"], each["to_status"]) for each in changes] == [
        ("released", "active"),
        ("active", "active"),
    ]


SEEDED: list[tuple[str, dict[str, Any], str, int]] = [
    ("scale", {"archived_ago": "20m", "updated_ago": "10m"}, "archived", 40),
    ("scale", {"updated_ago": "10m"}, "live", 0),
    ("galtea", {"last_active_ago": "10m"}, "PENDING", 0),
    ("galtea", {"last_active_ago": "10m", "status": "FAILED"}, "FAILED", 50),
    ("notte", {"closed_ago": "59m"}, "closed", 1),
    ("mobilenext", {"device": "emulator-5554"}, "active", 0),
    ("mobilenext", {"device": "emulator-5554", "released_ago": "10m"}, "released", 50),
    (
        "mobilenext",
        {
            "device": "emulator-5554",
            "released_ago": "30m",
            "further_devices": [{"device": "8F7A52E1", "created_ago": "20m"}],
        },
        "active",
        40,
    ),
]


@pytest.mark.parametrize(("surface", "facts", "status", "at"), SEEDED)
def test_a_seeded_status_begins_where_its_seed_says(
    double: Double, surface: str, facts: dict[str, Any], status: str, at: int
) -> None:
    id, user = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01", "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
    owner = {"scale": {"account_id": "a"}, "mobilenext": {"organization": "a", "user": user}}
    row = {"id": id, "created_ago": "1h", **owner.get(surface, {"organization": "a"}), **facts}
    if surface == "galtea":
        row["version"] = "v"
    member = {"organization": "a", "role": "admin"}
    ana = {"id": user, "name": "Ana", "default_organization": "a", "memberships": [member]}
    body = {
        "organizations": [{"id": "a", "name": "A"}],
        "users": [ana],
        surface: {"sessions": [row]},
    }
    double.advance("1h")
    double.post("/namespaces/default/seed", body)
    assert since(double, id) == (status, minute(at))
