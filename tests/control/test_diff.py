"""The diff resource: changes between two instants, and their causes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sessionary.identity import DEFAULT_ORGANIZATION
from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, Double
from tests.surfaces.mobilenext.api_client import ANDROID

START = "POST /notte/session/start"


def changes(double: Double, query: str = "from=2000-01-01T00:00:00Z") -> list[tuple[Any, ...]]:
    found = double.get(f"/diff?{query}")["changes"]
    return [
        (each["at"][11:19], each["cause"], each["from_status"], each["to_status"]) for each in found
    ]


def test_a_diff_names_the_call_the_session_and_both_statuses(double: Double) -> None:
    id = double.start()
    double.advance("1m")
    double.close(id)
    first, second = double.get("/diff?from=2000-01-01T00:00:00Z")["changes"]
    assert first == {
        "at": NOON,
        "surface": "notte",
        "session": id,
        "part": None,
        "cause": "call",
        "call": START,
        "rule": None,
        "from_status": None,
        "to_status": "active",
    }
    assert second["call"] == "POST /notte/session/close"
    assert (second["from_status"], second["to_status"]) == ("active", "closed")


def test_a_diff_names_the_rule_of_a_change_by_time(double: Double) -> None:
    double.start()
    double.advance("6m")
    _, by_time = double.get("/diff?from=2000-01-01T00:00:00Z")["changes"]
    assert (by_time["cause"], by_time["rule"], by_time["call"]) == ("time", "idle_timeout", None)
    assert by_time["at"] == "2026-03-01T12:05:00.000001Z"


def test_a_session_kept_alive_by_a_call_has_no_timeout_before_it(double: Double) -> None:
    id = double.start()
    double.advance("4m")
    body = {"session_id": id, "keep_alive": True}
    double.client.post("/notte/env/observe", json=body, headers=NOTTE)
    double.advance("10m")
    assert changes(double) == [
        ("12:00:00", "call", None, "active"),
        ("12:04:00", "call", "active", "active"),
        ("12:09:00", "time", "active", "timed_out"),
    ]


def test_a_diff_excludes_from_and_includes_to(double: Double) -> None:
    double.start()
    double.advance("6m")
    assert changes(double, f"from={NOON}") == [("12:05:00", "time", "active", "timed_out")]
    assert changes(double, f"from=2000-01-01T00:00:00Z&to={NOON}") == [
        ("12:00:00", "call", None, "active")
    ]
    assert changes(double, "from=2026-03-01T12:05:00.000001Z") == []


def test_a_status_reached_by_time_and_undone_by_a_call_is_in_the_diff(make_double: Any) -> None:
    """The last row alone does not show it: the database is rewound in between."""
    double = make_double(galtea_auto_close_minutes=5)
    made = double.client.post("/galtea/sessions", json={"productId": "p"}, headers=GALTEA)
    double.advance("6m")
    path = f"/galtea/sessions/{made.json['id']}"
    patched = double.client.patch(path, json={"status": "PENDING"}, headers=GALTEA)
    assert patched.json["status"] == "PENDING"
    assert changes(double) == [
        ("12:00:00", "call", None, "PENDING"),
        ("12:05:00", "time", "PENDING", "COMPLETED"),
        ("12:06:00", "call", "COMPLETED", "PENDING"),
    ]


def test_two_calls_at_one_instant_are_two_changes_in_order(double: Double) -> None:
    id = double.start()
    double.close(id)
    assert changes(double) == [
        ("12:00:00", "call", None, "active"),
        ("12:00:00", "call", "active", "closed"),
    ]


def test_a_diff_can_include_the_future(double: Double) -> None:
    double.start()
    assert changes(double, f"from={NOON}&to=2026-03-01T13:00:00Z") == [
        ("12:05:00", "time", "active", "timed_out")
    ]


def test_a_truncated_diff_says_so(double: Double) -> None:
    for _ in range(3):
        double.start()
    shown = double.get("/diff?from=2000-01-01T00:00:00Z&limit=2")
    assert (len(shown["changes"]), shown["truncated"]) == (2, True)


def test_a_diff_changes_nothing(double: Double) -> None:
    id = double.start()
    double.close(id)
    before = changes(double)
    assert changes(double) == before
    assert double.status(id) == "closed"


def test_an_invalid_diff_is_refused(double: Double) -> None:
    assert "from is required" in double.get("/diff", status=400)["detail"]
    query = "from=2026-03-02T00:00:00Z"
    assert "must not be after" in double.get(f"/diff?{query}", status=400)["detail"]


def test_a_diff_names_the_call_that_forced_a_status(double: Double) -> None:
    id = double.start()
    path = f"/sessions/notte/{id}/force"
    double.post(path, {"status": "error"})
    _, forced = double.get("/diff?from=2000-01-01T00:00:00Z")["changes"]
    assert (forced["cause"], forced["call"]) == ("call", f"POST /_control/v1{path}")
    assert (forced["from_status"], forced["to_status"]) == ("active", "error")


def test_after_a_move_back_the_changes_of_a_session_add_up(double: Double) -> None:
    """Each names the instant that its call was answered, in the order of the calls."""
    double.advance("10m")
    id = double.start(session_timeout_minutes=29)
    double.advance("-8m")
    double.close(id)
    assert changes(double) == [
        ("12:10:00", "call", None, "active"),
        ("12:02:00", "call", "active", "closed"),
    ]
    double.advance("-1m")
    assert changes(double, f"from={NOON}") == changes(double)
    assert changes(double, "from=2026-03-01T12:01:00Z&to=2026-03-01T13:00:00Z") == []


def test_a_status_by_time_that_a_later_call_ended_is_in_the_diff_of_an_earlier_time(
    make_double: Any,
) -> None:
    double = make_double(galtea_auto_close_minutes=5)
    made = double.client.post("/galtea/sessions", json={"productId": "p"}, headers=GALTEA)
    double.advance("20m")
    path = f"/galtea/sessions/{made.json['id']}"
    double.client.patch(path, json={"status": "PENDING"}, headers=GALTEA)
    assert changes(double, f"from={NOON}&to=2026-03-01T12:10:00Z") == [
        ("12:05:00", "time", "PENDING", "COMPLETED")
    ]
    found = double.get(f"/diff?from={NOON}&limit=1")
    assert (len(found["changes"]), found["truncated"]) == (1, True)
    assert found["changes"][0]["cause"] == "time"


def test_a_page_of_a_diff_has_a_change_by_time_before_writes_that_it_leaves_out(
    make_double: Any,
) -> None:
    """The page ends among the writes of one instant; one of these releases the first session."""
    double = make_double(mobilenext_lease_minutes=7)
    path, body = "/mobilenext/api/v1/sessions", {"filters": [ANDROID]}
    for count in (1, 2):
        made = [double.client.post(path, headers=MOBILENEXT).json["id"] for _ in range(count)]
        double.client.post(f"{path}/{made[-1]}/devices", json=body, headers=MOBILENEXT)
        double.advance("1h")
    whole = double.get(f"/diff?from={NOON}")["changes"]
    for limit in range(1, len(whole) + 1):
        assert double.get(f"/diff?from={NOON}&limit={limit}")["changes"] == whole[:limit]


def test_a_diff_has_the_changes_that_a_seed_dates_in_place_of_those_before(double: Double) -> None:
    id = double.start()
    double.advance("6m")
    row = {"id": id, "organization": DEFAULT_ORGANIZATION, "created_ago": "1m"}
    home = {"id": DEFAULT_ORGANIZATION, "name": "Home"}
    seed = {"organizations": [home], "notte": {"sessions": [row]}}
    double.post("/namespaces/default/seed", seed)
    double.advance("5m")
    assert changes(double, "from=2026-03-01T11:00:00Z") == [
        ("12:05:00", "call", None, "active"),
        ("12:10:00", "time", "active", "timed_out"),
    ]


def test_a_fork_is_compared_with_its_origin(double: Double) -> None:
    same, closed = double.start(), double.start(session_timeout_minutes=9)
    double.post("/namespaces/default/fork", {"name": "fork"}, status=201)
    double.close(closed)
    new = double.start(ns="fork")
    changes = [
        {"surface": "notte", "id": closed, "here": "closed", "there": "active"},
        {"surface": "notte", "id": new, "here": None, "there": "active"},
    ]
    found = double.get("/diff?with=fork")
    assert found == {"changes": changes, "truncated": False}
    back = double.get("/diff?with=default", ns="fork")["changes"]
    assert {(e["id"], e["here"], e["there"]) for e in back} == {
        (e["id"], e["there"], e["here"]) for e in changes
    }
    later = double.get("/diff?with=fork", headers={"Sessionary-At": "+10m"})["changes"]
    assert [each["there"] for each in later] == ["timed_out", "timed_out"]
    assert same not in str(later)
    assert double.get("/diff?with=fork&limit=1") == {"changes": changes[:1], "truncated": True}
    assert double.get("/diff?with=default")["changes"] == []


def test_namespaces_are_compared_at_one_instant_also_in_the_past_of_one(double: Double) -> None:
    id = double.start()
    double.post("/namespaces/default/fork", {"name": "fork"}, status=201)
    double.post("/clock/advance", {"by": "1h"}, ns="fork")
    assert double.get("/diff?with=fork")["changes"] == []
    noon = {"Sessionary-At": NOON}
    assert double.get("/diff?with=default", ns="fork", headers=noon)["changes"] == []
    double.advance("1m")
    double.close(id)
    (only,) = double.get("/diff?with=fork")["changes"]
    assert (only["here"], only["there"]) == ("closed", "active")


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("", 400, "from is required, or with"),
        ("with=nope", 404, "there is no namespace 'nope'"),
        (f"with=default&from={NOON}", 400, "leave out from and to"),
    ],
)
def test_a_comparison_that_is_refused_says_why(
    double: Double, query: str, status: int, detail: str
) -> None:
    assert detail in double.get(f"/diff?{query}", status=status)["detail"]


def test_namespaces_that_are_compared_with_each_other_at_once_do_not_wait_for_good(
    double: Double,
) -> None:
    for name in ("a", "b"):
        double.post("/namespaces", {"name": name, "record": name == "a"}, status=201)
        double.start(ns=name)

    def compare(number: int) -> int:
        here, there = ("a", "b") if number % 2 else ("b", "a")
        return double.call("GET", f"/diff?with={there}", ns=here).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(compare, range(40), timeout=60)) <= {200, 409}


def test_a_page_of_a_diff_has_a_timeout_before_a_seeded_change_that_it_leaves_out(
    double: Double,
) -> None:
    """The seed dates the deletion at the instant of the page's last call."""
    double.advance("1h")
    for _ in range(2):
        double.start()
    seed: dict[str, object] = {"id": "s1", "version": "v1", "created_ago": "1h"}
    seed |= {"deleted_ago": "0s", "organization": "acme", "auto_close_minutes": 5}
    organizations = [{"id": "acme", "name": "Acme"}]
    product = {"id": "p1"}
    version = {"id": "v1", "product": "p1"}
    seeded = {"products": [product], "versions": [version], "sessions": [seed]}
    double.post("/namespaces/default/seed", {"organizations": organizations, "galtea": seeded})
    whole = double.get(f"/diff?from={NOON}")["changes"]
    assert [each["cause"] for each in whole] == ["time", *["call"] * 3]
    for limit in range(1, len(whole) + 1):
        assert double.get(f"/diff?from={NOON}&limit={limit}")["changes"] == whole[:limit]
