"""Explanations of requests that are only tried."""

from typing import Any

import pytest

from sessionary import ids
from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, SCALE, Double, MakeDouble
from tests.control.fault_helpers import START, arm, by_pointer

SCALE_CREATE = "/scale/v4/sessions"
SCALE_BODY = {"title": "t", "state": {}, "account_id": "a"}


def explain(double: Double, method: str, path: str, *, ns: str | None = None, **given: Any) -> Any:
    return double.post("/requests/explain", {"method": method, "path": path, **given}, ns=ns)


def test_a_valid_request_is_explained_with_its_response(double: Double) -> None:
    found = explain(double, "POST", "/session/start", headers=NOTTE, body={})
    assert found.pop("response")["status"] == "active"
    assert found.pop("caller")["organization"] == "000000000000000000000001"
    assert found == {
        "at": NOON,
        "surface": "notte",
        "method": "POST",
        "path": "/session/start",
        "route": "/session/start",
        "operation": "Start or join a session",
        "status": 200,
        "violations": [],
        "ignored": [],
        "fault": None,
        "note": None,
    }


def test_every_violation_is_reported_at_once(double: Double) -> None:
    body = {"session_timeout_minutes": 30, "keep_alive": "yes", "screenshot": 1, "session_id": 7}
    found = explain(double, "POST", START, body=body)
    assert found["status"] == 401
    expected = {
        "/session_timeout_minutes": ("must be greater than 0 and less than 30", 30, 29),
        "/keep_alive": ("must be true or false", "yes", True),
        "/screenshot": ("must be true or false", 1, True),
        "/session_id": ("must be a string", 7, "7"),
    }
    key, *violations = found["violations"]
    assert key == {
        "location": "header",
        "pointer": "Authorization",
        "expected": "must be a valid key, as `Authorization: Bearer sk-notte-…`",
        "hint": None,
    }
    names = ("location", "pointer", "expected", "actual", "suggestion", "hint")
    assert {each["pointer"]: each for each in violations} == {
        pointer: dict(zip(names, ("body", pointer, *said, None), strict=True))
        for pointer, said in expected.items()
    }


WRONG = [
    (NOTTE, "POST", START, {"session_timeout_minutes": 0}),
    (NOTTE, "POST", START, {"session_timeout_minutes": "7", "keep_alive": 0}),
    (NOTTE, "POST", START, {"session_timeout_minutes": 7.5}),
    (NOTTE, "POST", "/notte/sessions/start", {"idle_timeout_minutes": 20}),
    (NOTTE, "POST", "/notte/sessions/start", {"browser_type": "Chromium", "auth_retry": 9}),
    (NOTTE, "POST", "/notte/sessions/start", {"chrome_args": "--one"}),
    (GALTEA, "POST", "/galtea/sessions", {"versionId": "v", "status": "complete"}),
    (SCALE, "POST", SCALE_CREATE, {**SCALE_BODY, "title": 1}),
    (SCALE, "POST", SCALE_CREATE, {**SCALE_BODY, "start_date": "2026-03-01"}),
]


@pytest.mark.parametrize(("headers", "method", "path", "body"), WRONG)
def test_a_request_with_every_suggestion_is_accepted(
    double: Double, headers: dict[str, str], method: str, path: str, body: dict[str, Any]
) -> None:
    found = explain(double, method, path, headers=headers, body=body)
    assert found["status"] in (400, 422)
    nearest = {each["pointer"][1:]: each["suggestion"] for each in found["violations"]}
    mended = explain(double, method, path, headers=headers, body={**body, **nearest})
    assert mended["status"] in (200, 201), mended
    assert mended["violations"] == []


@pytest.mark.parametrize(
    ("path", "body", "place", "hint"),
    [
        ("/galtea/sessions", {"idle_timeout_minutes": 3}, "/idle_timeout_minutes", "Galtea has no"),
        ("/galtea/sessions", {"version_id": "v"}, "/version_id", "Did you mean `versionId`?"),
        ("/galtea/sessions", {"stoppingReason": "x"}, "/stoppingReason", "of PATCH /sessions/{"),
        (START, {"keepalive": True}, "/keepalive", "Did you mean `keep_alive`?"),
        (START, {"versionId": "v"}, "/versionId", "Galtea's `versionId`; Notte has no such field"),
        ("/galtea/sessions", {"wholly_new": 1}, "/wholly_new", None),
    ],
)
def test_an_ignored_name_is_reported_with_a_hint(
    double: Double, path: str, body: dict[str, Any], place: str, hint: str | None
) -> None:
    (got,) = body.values()
    ignored = by_pointer(explain(double, "POST", path, body=body), "ignored")[place]
    assert (ignored["location"], ignored["actual"]) == ("body", got)
    assert ignored["hint"] is None if hint is None else hint in ignored["hint"]


def test_a_refused_name_is_reported_with_a_hint(double: Double) -> None:
    body = {"idle_timeout_minuts": 3, "keep_alive": True}
    found = by_pointer(explain(double, "POST", "/notte/sessions/start", headers=NOTTE, body=body))
    assert "Did you mean `idle_timeout_minutes`?" in found["/idle_timeout_minuts"]["hint"]
    assert "a field of POST /env/observe" in found["/keep_alive"]["hint"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/notte/sessions/a/page/execute", {"type": "click", "selector": "x"}),
        ("/notte/sessions/start", {"colour": "red"}),
    ],
)
def test_a_name_that_is_read_or_refused_is_not_reported_as_ignored(
    double: Double, path: str, body: dict[str, Any]
) -> None:
    assert explain(double, "POST", path, headers=NOTTE, body=body)["ignored"] == []


def test_a_missing_name_is_reported_with_the_similar_one_that_was_sent(double: Double) -> None:
    body = {"titel": "t", "state": {}, "account_id": "a"}
    found = explain(double, "POST", SCALE_CREATE, headers=SCALE, body=body)
    assert by_pointer(found)["/title"]["hint"] == "You sent `titel`."
    assert "actual" not in by_pointer(found)["/title"]


def test_pointers_reach_into_lists(double: Double) -> None:
    body = {"filters": [{"attribute": "platfrom", "operator": "EQUALS", "value": "ios", "x": 1}]}
    path = "/mobilenext/api/v1/sessions/a/devices"
    found = explain(double, "POST", path, headers=MOBILENEXT, body=body)
    assert by_pointer(found)["/filters/0/attribute"]["suggestion"] == "platform"
    assert by_pointer(found, "ignored")["/filters/0/x"]["actual"] == 1


def test_a_query_is_reported_like_a_body(double: Double) -> None:
    query = {"page_size": "101", "only_active": "perhaps", "colour": ["red"]}
    found = explain(double, "GET", "/notte/sessions?page=0", headers=NOTTE, query=query)
    violations = by_pointer(found)
    assert {place: each.get("suggestion") for place, each in violations.items()} == {
        "page": 1,
        "page_size": 100,
        "only_active": None,
    }
    assert {each["location"] for each in violations.values()} == {"query"}
    assert by_pointer(found, "ignored")["/colour"]["actual"] == "red"


@pytest.mark.parametrize(
    ("method", "path", "expected", "hint"),
    [
        ("POST", "/session/strat", "must be a path of a route", "Did you mean /session/start?"),
        ("DELETE", "/session/start", "takes POST", None),
        ("POST", "/galtea/session/start", "must be a path", "That is Notte's: send it to /notte/"),
        ("GET", "/nowhere/at/all", "must be a path of a route", None),
    ],
)
def test_a_path_without_a_route_is_reported_with_a_hint(
    double: Double, method: str, path: str, expected: str, hint: str | None
) -> None:
    found = explain(double, method, path)["violations"][0]
    assert found["location"] == "path"
    assert found["expected"].startswith(expected)
    assert found["hint"] is None if hint is None else hint in found["hint"]


def test_a_key_of_another_vendor_is_recognized_but_not_shown(double: Double) -> None:
    found = explain(double, "GET", "/galtea/sessions", headers={"Authorization": "Bearer mob_zq"})
    assert by_pointer(found)["Authorization"]["hint"] == "It looks like a key of Mobile Next's."
    assert "zq" not in str(found)


@pytest.mark.parametrize(
    ("given", "place", "expected"),
    [
        ({"body": "{broken"}, "/", "not valid JSON"),
        ({"body": "[1]"}, "/", "not a JSON object"),
        ({"body": '{"a": NaN}', "headers": {"Content-Type": "application/json"}}, "/", "NaN"),
        (
            {"body": "{}", "headers": {"Content-Type": "text/plain"}},
            "/",
            "content type must be application/json",
        ),
        ({"body": {}, "headers": {"Sessionary-At": "+1h"}}, "Sessionary-At", "only a read"),
    ],
)
def test_violations_of_the_whole_request_are_reported(
    double: Double, given: dict[str, Any], place: str, expected: str
) -> None:
    headers = {"Content-Type": "application/json", **NOTTE, **given.pop("headers", {})}
    found = explain(double, "POST", START, headers=headers, **given)
    assert found["status"] == 400
    assert expected in by_pointer(found)[place]["expected"]


def test_a_body_that_is_too_large_is_explained_by_its_response(make_double: MakeDouble) -> None:
    double = make_double(scale_max_state_bytes=20)
    body = {**SCALE_BODY, "state": {"a": "x" * 20}}
    found = explain(double, "POST", SCALE_CREATE, headers=SCALE, body=body)
    assert (found["status"], found["violations"]) == (413, [])
    assert "larger than 20 bytes" in found["response"]["detail"]


def test_a_refusal_by_a_rule_is_noted(double: Double) -> None:
    found = explain(double, "GET", "/notte/sessions/unknown", headers=NOTTE)
    assert (found["status"], found["violations"]) == (404, [])
    assert found["note"].startswith("the request is well formed")


def test_the_explanation_uses_the_namespace_of_the_request(double: Double) -> None:
    id = double.start(ns="a")
    path = f"/notte/sessions/{id}"
    assert explain(double, "GET", path, ns="a", headers=NOTTE)["status"] == 200
    assert explain(double, "GET", path, headers=NOTTE)["status"] == 404


def test_notte_and_galtea_are_distinguished_at_the_root(double: Double) -> None:
    sdk = {"x-notte-sdk-version": "1.10.0"}
    assert explain(double, "GET", "/sessions", headers=sdk)["surface"] == "notte"
    assert explain(double, "GET", "/sessions")["surface"] == "galtea"


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"path": "/session/start"}, "/method is required"),
        ({"method": "POST", "path": "session/start"}, "path: must begin with a single /"),
        ({"method": "GET", "path": "/%2f_control/v1/clock"}, "path: must begin with a single /"),
        ({"method": "POST", "path": "/~a/session/start"}, "name no namespace"),
        ({"method": "POST", "path": "/_control/v1/clock"}, "must be a vendor's"),
        ({"method": "DELETE", "path": "/%5Fcontrol/v1/namespaces/a"}, "must be a vendor's"),
        ({"method": "POST", "path": "/x", "headers": {"a": "b\n"}}, "headers and query must be"),
        ({"method": "POST", "path": "/x", "colour": 1}, "/colour is not a known field"),
    ],
)
def test_an_invalid_call_is_refused_with_what_to_send_instead(
    double: Double, given: dict[str, Any], detail: str
) -> None:
    assert detail in double.post("/requests/explain", given, status=400)["detail"]


CHANGES = [
    ("POST", START, NOTTE, {}),
    ("POST", "/galtea/sessions", GALTEA, {"versionId": "v"}),
    ("POST", SCALE_CREATE, SCALE, SCALE_BODY),
    ("POST", "/mobilenext/api/v1/sessions", MOBILENEXT, None),
]


@pytest.mark.parametrize(("method", "path", "headers", "body"), CHANGES)
def test_explaining_a_request_changes_nothing(
    double: Double, method: str, path: str, headers: dict[str, str], body: Any
) -> None:
    for surface in ("notte", "galtea", "scale", "mobilenext"):
        arm(double, surface, status=503)
    with double.control.namespace.activate():
        ids.seed("one")
    before = double.control.namespace.contents()
    found = explain(double, method, path, headers=headers, body=body)
    assert found["status"] in (200, 201)
    assert (
        explain(double, method, path, headers=headers, body=body)["response"] == found["response"]
    )
    assert double.control.namespace.contents() == before
    double.call("DELETE", "/faults")
    made = double.client.open(path, method=method, headers=headers, json=body)
    assert made.json == found["response"]
