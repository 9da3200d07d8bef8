"""The sessions and timeline resources: lists, explanations and forced statuses."""

import json

import pytest

from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, SCALE, Double, MakeDouble

DEADLINE = "2026-03-01T12:05:00.000000Z"
TRANSITION = "2026-03-01T12:05:00.000001Z"


def start_everywhere(double: Double, title: str = "t") -> dict[str, str]:
    """Create a session on each surface; return ids by surface."""
    client = double.client
    body = {"account_id": "a", "title": title, "state": {}}
    scale = client.post("/scale/v4/sessions", json=body, headers=SCALE)
    mobile = client.post("/mobilenext/api/v1/sessions", headers=MOBILENEXT)
    galtea = client.post("/galtea/sessions", json={"productId": "product_1"}, headers=GALTEA)
    return {
        "scale": scale.json["id"],
        "mobilenext": mobile.json["id"],
        "notte": double.start(),
        "galtea": galtea.json["id"],
    }


def test_one_list_shows_the_sessions_of_all_surfaces(double: Double) -> None:
    made = start_everywhere(double)
    shown = double.get("/sessions")
    assert {each["surface"]: each["id"] for each in shown["sessions"]} == made
    assert all(each["since"] == NOON for each in shown["sessions"])
    by_surface = {each["surface"]: each for each in shown["sessions"]}
    assert by_surface["notte"]["next_transition"]["at"] == TRANSITION
    assert by_surface["scale"]["next_transition"] is None


def test_a_list_has_pages(double: Double) -> None:
    made = start_everywhere(double)
    seen, after = [], ""
    while after is not None:
        page = double.get(f"/sessions?limit=1{after and '&after=' + after}")
        seen += [each["id"] for each in page["sessions"]]
        after = page["next"]
    assert sorted(seen) == sorted(made.values())


def test_a_list_can_be_limited_to_one_surface(double: Double) -> None:
    made = start_everywhere(double)
    (only,) = double.get("/sessions?surface=galtea")["sessions"]
    assert only["id"] == made["galtea"]
    assert "unknown surface 'nope'" in double.get("/sessions?surface=nope", status=404)["detail"]


@pytest.mark.parametrize("path", ["/sessions?limit=1000", "/lanes?limit=1000"])
@pytest.mark.parametrize(
    ("query", "surfaces"),
    [
        ("open=true", {"scale", "mobilenext", "galtea"}),
        ("open=false", {"notte"}),
        ("status=timed_out", {"notte"}),
        ("status=live", {"scale"}),
        ("status=closed", set()),
        ("q=TEA", {"galtea"}),
        ("q=A title", {"scale"}),
        ("q=a&open=true&surface=galtea", {"galtea"}),
    ],
)
def test_a_list_can_be_filtered(double: Double, path: str, query: str, surfaces: set[str]) -> None:
    start_everywhere(double, title="a title")
    double.advance("6m")
    found = double.get(f"{path}&{query}")
    shown = found.get("lanes") or found.get("sessions") or []
    assert {each[0] if isinstance(each, list) else each["surface"] for each in shown} == surfaces


@pytest.mark.parametrize("path", ["/sessions", "/lanes"])
def test_filters_hold_at_the_instant_of_the_header(double: Double, path: str) -> None:
    id = double.start()
    for at, expected in (("+5m", ([id], [])), ("+6m", ([], [id]))):
        for status, ids in zip(("active", "timed_out"), expected, strict=True):
            found = double.get(f"{path}?status={status}", headers={"Sessionary-At": at})
            assert [e["id"] for e in found.get("sessions", [])] in (ids, [])
            assert [each[1] for each in found.get("lanes", [])] in (ids, [])
            assert len(found.get("sessions", found.get("lanes"))) == len(ids)


def test_pages_of_a_filtered_list_have_all_of_it(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessionary.control.sessions._PART", 2)
    ids = [double.start(session_timeout_minutes=minutes % 2 + 5) for minutes in range(9)]
    double.advance("330s")
    for path in ("sessions", "lanes"):
        seen, after = [], ""
        while after is not None:
            page = double.get(f"/{path}?limit=2&open=true{after and '&after=' + after}")
            seen += [each[1] if path == "lanes" else each["id"] for each in page[path]]
            after = page["next"]
        assert seen == ids[1::2]


def test_an_unknown_status_is_refused_with_the_known_ones(double: Double) -> None:
    detail = double.get("/sessions?surface=scale&status=open", status=400)["detail"]
    assert detail == "status: must be one of live, archived, not 'open'"


def test_open_sessions_have_the_calls_that_opened_them(double: Double) -> None:
    made = start_everywhere(double)
    body = {"session_id": made["notte"]}
    double.client.post("/notte/session/start", json=body, headers=NOTTE)
    opened = {
        each["surface"]: each["opened_by"] for each in double.get("/sessions?open=true")["sessions"]
    }
    calls = {each["surface"]: each for each in double.calls()[:4]}
    assert opened == {
        name: {"number": call["id"], **{key: call[key] for key in ("method", "path", "at")}}
        for name, call in calls.items()
    }
    double.call("DELETE", "/journal")
    double.client.post("/notte/session/start", json=body, headers=NOTTE)
    assert {e["opened_by"] for e in double.get("/sessions?open=true")["sessions"]} == {None}


def test_sessions_are_listed_by_their_ids_in_that_order(double: Double) -> None:
    one, other = double.start(), double.start()
    found = double.get(f"/sessions?ids=notte/{other},notte/{one},scale/{one},notte/none")
    assert [each["id"] for each in found["sessions"]] == [other, one]
    assert found["next"] is None
    double.get("/sessions?ids=other/x", status=400)


def test_an_explanation_has_the_call_that_opened_the_session(double: Double) -> None:
    id = double.start()
    double.start()
    opened_by = double.get(f"/sessions/notte/{id}/explain")["opened_by"]
    assert opened_by == {"number": 1, "method": "POST", "path": "/session/start", "at": NOON}
    double.call("DELETE", "/journal")
    assert double.get(f"/sessions/notte/{id}/explain")["opened_by"] is None


@pytest.mark.parametrize("after", ["x", "notte:", "notte:-1", "notte:²", "nope:1", "notte:1x"])
def test_an_invalid_page_is_refused(double: Double, after: str) -> None:
    assert "`next`" in double.get(f"/sessions?after={after}", status=400)["detail"]


def test_the_timeline_has_every_coming_transition_in_order(double: Double) -> None:
    later = double.start(session_timeout_minutes=9)
    sooner = double.start()
    shown = double.get("/timeline")
    assert [each["session"] for each in shown["transitions"]] == [sooner, later]
    assert shown["transitions"][0] == {
        "at": TRANSITION,
        "deadline": DEADLINE,
        "surface": "notte",
        "session": sooner,
        "part": None,
        "from_status": "active",
        "to_status": "timed_out",
        "rule": "idle_timeout",
    }
    assert not shown["truncated"]


def test_a_truncated_timeline_says_so(double: Double) -> None:
    for _ in range(3):
        double.start()
    shown = double.get("/timeline?limit=2")
    assert (len(shown["transitions"]), shown["truncated"]) == (2, True)


def test_a_timeline_excludes_from_and_includes_to(double: Double) -> None:
    double.start()
    assert double.get(f"/timeline?to={DEADLINE}")["transitions"] == []
    assert len(double.get(f"/timeline?to={TRANSITION}")["transitions"]) == 1
    assert len(double.get(f"/timeline?from={DEADLINE}")["transitions"]) == 1
    assert double.get(f"/timeline?from={TRANSITION}")["transitions"] == []


def test_a_timeline_that_ends_before_it_begins_is_refused(double: Double) -> None:
    refused = double.get(f"/timeline?from={TRANSITION}&to={DEADLINE}", status=400)
    assert refused["detail"].startswith("from: must not be after `to`")


def test_an_explanation_has_status_rule_inputs_and_alternative(double: Double) -> None:
    id = double.start()
    double.advance("6m")
    explanation = double.get(f"/sessions/notte/{id}/explain")
    assert (explanation["status"], explanation["since"], explanation["rule"]) == (
        "timed_out",
        TRANSITION,
        "idle_timeout",
    )
    assert explanation["inputs"]["last_accessed_at"] == NOON
    assert DEADLINE in explanation["unless"]
    assert explanation["source"].startswith("Source: page")
    assert explanation["next_transitions"] == []


def test_an_explanation_can_be_as_of_tomorrow_and_yesterday(double: Double) -> None:
    id = double.start()
    tomorrow = double.get(f"/sessions/notte/{id}/explain?at=2026-03-02T12:00:00Z")
    assert (tomorrow["status"], tomorrow["at"]) == ("timed_out", "2026-03-02T12:00:00.000000Z")
    double.advance("1m")
    double.close(id)
    double.advance("1d")
    yesterday = double.get(f"/sessions/notte/{id}/explain?at={NOON}")
    assert (yesterday["status"], yesterday["next_transitions"][0]["at"]) == ("active", TRANSITION)
    assert double.get(f"/sessions/notte/{id}/explain")["status"] == "closed"


def test_every_surface_explains_its_sessions(double: Double) -> None:
    for surface, id in start_everywhere(double).items():
        explanation = double.get(f"/sessions/{surface}/{id}/explain")
        assert (explanation["surface"], explanation["id"], explanation["at"]) == (surface, id, NOON)
        assert explanation["source"]


def test_a_session_is_explained_without_its_surface(double: Double) -> None:
    for surface, id in start_everywhere(double).items():
        explanation = double.get(f"/sessions/{surface}/{id}/explain")
        assert double.get(f"/sessions/{id}/explain") == explanation
    assert "session 'x' not found" in double.get("/sessions/x/explain", status=404)["detail"]


def test_an_unknown_session_or_surface_is_404(double: Double) -> None:
    assert (
        "session 'x' not found on notte"
        in double.get("/sessions/notte/x/explain", status=404)["detail"]
    )
    assert "unknown surface 'nope'" in double.get("/sessions/nope/x/explain", status=404)["detail"]


def test_an_explanation_writes_nothing(double: Double) -> None:
    id = double.start()
    before = double.control.namespace.contents()
    double.get(f"/sessions/notte/{id}/explain")
    double.get("/sessions")
    double.get("/timeline")
    assert double.control.namespace.contents() == before


def test_a_status_that_only_the_vendor_causes_can_be_forced(double: Double) -> None:
    id = double.start()
    explanation = double.post(
        f"/sessions/notte/{id}/force", {"status": "error", "reason": "crashed"}
    )
    assert (explanation["status"], explanation["inputs"]["error"]) == ("error", "crashed")
    assert double.status(id) == "error"


def test_an_ended_session_cannot_be_forced(double: Double) -> None:
    id = double.start()
    double.close(id)
    before = double.get(f"/sessions/notte/{id}/explain")
    double.post(f"/sessions/notte/{id}/force", {"status": "error"}, status=409)
    assert double.get(f"/sessions/notte/{id}/explain") == before


def test_a_status_that_a_call_or_time_causes_is_not_forced(double: Double) -> None:
    id = double.start()
    refused = double.post(f"/sessions/notte/{id}/force", {"status": "timed_out"}, status=400)
    assert "notte can be forced to error, not 'timed_out'" in refused["detail"]
    refused = double.post("/sessions/notte/x/force", {"status": "error"}, status=404)
    assert "session 'x' not found on notte" in refused["detail"]


def test_the_control_plane_describes_itself(double: Double) -> None:
    document = double.get("/openapi.json")
    assert "/sessions/{surface}/{session_id}/explain" in document["paths"]
    assert "problem+json" in json.dumps(document)


def seed_ties(double: Double) -> dict[str, list[str]]:
    """Create sessions with equal transitions and random ids on each surface; return their ids."""
    made: dict[str, list[str]] = {"notte": [double.start() for _ in range(6)]}
    bodies = {"json": {"productId": "p"}, "headers": GALTEA}
    galtea = [double.client.post("/galtea/sessions", **bodies).json["id"] for _ in range(6)]
    path = "/mobilenext/api/v1/sessions"
    mobile = [double.client.post(path, headers=MOBILENEXT).json["id"] for _ in range(6)]
    return made | {"galtea": galtea, "mobilenext": mobile}


def test_ties_of_the_timeline_are_in_order_of_creation(make_double: MakeDouble) -> None:
    double = make_double(galtea_auto_close_minutes=15)
    made = seed_ties(double)
    for limit in (100, 5):
        transitions = double.get(f"/timeline?limit={limit}")["transitions"]
        for surface, ids in made.items():
            found = [each["session"] for each in transitions if each["surface"] == surface]
            assert found == ids[: len(found)]
    assert len(transitions) == 5


def test_the_list_is_in_order_of_creation_as_of_the_past_as_well(double: Double) -> None:
    made = seed_ties(double)
    double.advance("1m")
    android = {"attribute": "platform", "operator": "EQUALS", "value": "android"}
    for id in made["mobilenext"][:3]:
        path = f"/mobilenext/api/v1/sessions/{id}/devices"
        double.client.post(path, json={"filters": [android]}, headers=MOBILENEXT)
    double.close(made["notte"][2])
    for at in ("+0s", "-1m"):
        for surface, ids in made.items():
            shown = double.get(f"/sessions?surface={surface}", headers={"Sessionary-At": at})
            assert [each["id"] for each in shown["sessions"]] == ids


def test_a_session_with_an_earlier_transition_keeps_its_place_among_later_ties(
    double: Double,
) -> None:
    device = {"platform": "ios", "type": "real", "name": "iPhone", "version": "18"}
    devices = [{**device, "serial": f"d{n}", "provision_seconds": 60} for n in range(6)]
    double.post("/namespaces/default/seed", {"devices": devices})
    ios = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "ios"}]}
    path = "/mobilenext/api/v1/sessions"
    ids = [double.client.post(path, headers=MOBILENEXT).json["id"] for _ in range(5)]
    double.client.post(f"{path}/{ids[2]}/devices", json=ios, headers=MOBILENEXT)
    double.advance("10s")
    for id in ids:
        double.client.post(f"{path}/{id}/devices", json=ios, headers=MOBILENEXT)
    for limit in (100, 4):
        transitions = double.get(f"/timeline?limit={limit}")["transitions"]
        ready = [each["session"] for each in transitions if each["to_status"] == "in_use"]
        assert ready == [ids[2], *ids][:limit]
