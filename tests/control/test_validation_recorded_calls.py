"""Explanations of recorded calls, and the links to them."""

import re
from typing import Any

import pytest

from tests.control.conftest import NOTTE, SCALE, Double
from tests.control.fault_helpers import START, arm, by_pointer
from tests.processes import COMMAND, run_command, running_double
from tests.raw_http import send_and_read

SCALE_CREATE = "/scale/v4/sessions"


def help_link(answer: Any) -> str:
    found = re.fullmatch('<(.+)>; rel="help"', answer.headers["Link"])
    assert found is not None
    return found[1]


@pytest.mark.parametrize("prefix", ["", "/~a"])
def test_a_refused_call_links_to_its_explanation(double: Double, prefix: str) -> None:
    body = {"session_timeout_minutes": 30, "keep": 1}
    answer = double.client.post(f"{prefix}{START}", json=body, headers=NOTTE)
    assert help_link(answer).startswith(f"{prefix}/_control/v1/journal/")
    found = double.client.get(help_link(answer)).json
    assert (found["status"], found["response"]) == (400, answer.json)
    assert found["caller"] is not None
    assert by_pointer(found)["/session_timeout_minutes"]["suggestion"] == 29
    assert list(by_pointer(found, "ignored")) == ["/keep"]


def test_the_link_contains_the_namespace_of_the_key(double: Double) -> None:
    headers = {"Authorization": "Bearer gsk_ns-t42-x"}
    answer = double.client.get("/galtea/sessions/unknown", headers=headers)
    assert help_link(answer).startswith("/~t42/_control/v1/journal/1/")
    assert (
        double.client.get(help_link(answer)).json["note"].startswith("the request is well formed")
    )


def test_only_refused_calls_have_a_link(double: Double) -> None:
    arm(double, "scale", status=500)
    assert "Link" not in double.client.post(START, json={}, headers=NOTTE).headers
    assert "Link" not in double.client.get("/scale/user-info").headers
    assert "Link" in double.client.get("/nowhere").headers


def test_the_explanation_of_a_refused_key_names_the_header(double: Double) -> None:
    answer = double.client.post(START, json={"keep_alive": 1})
    found = double.client.get(help_link(answer)).json
    assert list(by_pointer(found)) == ["Authorization", "/keep_alive"]


def test_the_explanation_names_the_preset_of_the_fault(double: Double) -> None:
    arm(double, preset="overloaded")
    double.client.post(START, json={}, headers=NOTTE)
    note = double.get("/journal/1/explain")["note"]
    assert note.startswith("fault 1 (status, preset overloaded) answered it before its work")


def test_the_explanation_names_the_fault(double: Double) -> None:
    arm(double, status=429)
    answer = double.client.post(START, json={}, headers=NOTTE)
    found = double.client.get(help_link(answer)).json
    assert (found["status"], found["fault"]) == (
        429,
        {"id": 1, "kind": "status", "phase": "before"},
    )
    note = "fault 1 (status) answered it before its work was done, so nothing was stored"
    assert (found["violations"], found["note"]) == ([], note)


def test_the_explanation_of_a_request_that_could_not_be_read_is_not_about_its_path() -> None:
    twice = b"Host: here\r\nHost: there\r\n\r\n"
    with running_double() as double:
        for number, path in enumerate((b"/notte/sessions", b"/notte/none", b"/none"), start=1):
            send_and_read(double.url, b"GET " + path + b" HTTP/1.1\r\n" + twice)
            _, found = double.request("GET", f"/_control/v1/journal/{number}/explain")
            assert (found["status"], found["violations"]) == (400, [])
            assert found["note"] == "the request could not be read; the response says why"
        command = (COMMAND, "journal", "explain", "1", "--url", double.url)
        assert (
            'response: {"detail": "Invalid HTTP Header: \'HOST\'"}' in run_command(*command).stdout
        )


def test_a_truncated_body_is_not_validated(double: Double) -> None:
    body = {"title": 1, "state": {"a": "x" * 20_000}, "account_id": "a"}
    answer = double.client.post(f"{SCALE_CREATE}?x=1", json=body, headers=SCALE)
    found = double.client.get(help_link(answer)).json
    assert (found["violations"], list(by_pointer(found, "ignored"))) == ([], ["/x"])
    assert "truncated" in found["note"]
