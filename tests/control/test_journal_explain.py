"""Calls explained after they were refused: the link in their answer, and what it leads to."""

import re
from typing import Any

import pytest

from tests.control.conftest import NOTTE, SCALE, Double
from tests.control.fault_helpers import START, arm, told

SCALE_CREATE = "/scale/v4/sessions"


def linked(answer: Any) -> str:
    found = re.fullmatch('<(.+)>; rel="help"', answer.headers["Link"])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("prefix", ["", "/~a"])
def test_a_refused_call_links_to_its_explanation(double: Double, prefix: str) -> None:
    body = {"session_timeout_minutes": 30, "keep": 1}
    answer = double.client.post(f"{prefix}{START}", json=body, headers=NOTTE)
    assert linked(answer).startswith(f"{prefix}/_control/v1/journal/")
    found = double.client.get(linked(answer)).json
    assert (found["status"], found["response"]) == (400, answer.json)
    assert found["caller"] is not None
    assert told(found)["/session_timeout_minutes"]["suggestion"] == 29
    assert list(told(found, "ignored")) == ["/keep"]


def test_a_namespace_that_its_key_names_is_in_the_link(double: Double) -> None:
    headers = {"Authorization": "Bearer gsk_ns-t42-x"}
    answer = double.client.get("/galtea/sessions/unknown", headers=headers)
    assert linked(answer).startswith("/~t42/_control/v1/journal/1/")
    assert double.client.get(linked(answer)).json["note"].startswith("the request is well formed")


def test_only_refused_calls_have_a_link(double: Double) -> None:
    arm(double, "scale", status=500)
    assert "Link" not in double.client.post(START, json={}, headers=NOTTE).headers
    assert "Link" not in double.client.get("/scale/user-info").headers
    assert "Link" in double.client.get("/nowhere").headers


def test_a_call_that_was_not_admitted_is_explained_as_such(double: Double) -> None:
    answer = double.client.post(START, json={"keep_alive": 1})
    found = double.client.get(linked(answer)).json
    assert list(told(found)) == ["Authorization", "/keep_alive"]


def test_a_call_that_a_fault_refused_says_so(double: Double) -> None:
    arm(double, status=429)
    answer = double.client.post(START, json={}, headers=NOTTE)
    found = double.client.get(linked(answer)).json
    assert (found["status"], found["fault"]) == (429, {"id": 1, "kind": "status"})
    assert (found["violations"], found["note"]) == ([], None)


def test_what_was_not_kept_is_not_judged(double: Double) -> None:
    body = {"title": 1, "state": {"a": "x" * 20_000}, "account_id": "a"}
    answer = double.client.post(f"{SCALE_CREATE}?x=1", json=body, headers=SCALE)
    found = double.client.get(linked(answer)).json
    assert (found["violations"], list(told(found, "ignored"))) == ([], ["/x"])
    assert "truncated" in found["note"]
