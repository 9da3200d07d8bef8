"""`sessionary verify`: recorded conversations against a double, and what differs."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sessionary.replay.har import BadHar, read_har
from sessionary.replay.verification import Call, score, verify
from sessionary.surfaces import SURFACES
from tests.processes import COMMAND, run_command

TRAFFIC = Path(__file__).with_name("traffic")
Entries = list[dict[str, Any]]


def load(surface: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((TRAFFIC / f"{surface}.har").read_text())
    return found


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., list[Call]]:
    """Verify the recording of a surface, after a change of its entries."""

    def run(surface: str, change: Callable[[Entries], Any]) -> list[Call]:
        document = load(surface)
        change(document["log"]["entries"])
        file = tmp_path / "traffic.har"
        file.write_text(json.dumps(document))
        return verify(read_har(file), surface)

    return run


def edit(entry: dict[str, Any], **values: Any) -> None:
    """Change fields of a recorded response."""
    content = entry["response"]["content"]
    content["text"] = json.dumps(json.loads(content["text"]) | values)


def differences(call: Call) -> list[tuple[str, str]]:
    return [(each.check, each.pointer) for each in call.differences]


@pytest.mark.parametrize("surface", ["scale", "mobilenext", "galtea"])
def test_a_conversation_as_the_pages_describe_it_has_no_differences(surface: str) -> None:
    calls = verify(read_har(TRAFFIC / f"{surface}.har"), surface)
    assert [call.left_out for call in calls] == [None] * 6
    assert [each for call in calls for each in call.differences] == []
    assert score(calls) == 100
    assert [call.checks["time"] for call in calls].count(True) >= 3


def test_fields_that_the_recording_has_not_are_differences_in_shape() -> None:
    first, *others = verify(read_har(TRAFFIC / "notte.har"), "notte")
    assert {check for check, _ in differences(first)} == {"shape"}
    assert ("shape", "/idle_timeout_minutes") in differences(first)
    assert all(not call.differences for call in others)
    assert [call.checks["time"] for call in others] == [True] * 3


def test_every_surface_has_a_recording() -> None:
    assert {file.stem for file in TRAFFIC.iterdir()} == {each.name for each in SURFACES}


def test_another_status_is_reported_with_the_double_s_answer(
    verified: Callable[..., list[Call]],
) -> None:
    def refuse(entries: Entries) -> None:
        entries[1]["response"] |= {"status": 403, "content": {"text": '{"detail": "no"}'}}

    call = verified("scale", refuse)[1]
    (difference,) = call.differences
    assert (difference.check, difference.recorded) == ("status", 403)
    assert str(difference.double).startswith('200 {"id": ')
    assert call.checks == {"status": False, "shape": None, "values": None, "time": None}


def test_a_session_that_lives_longer_in_the_recording_differs_in_time(
    verified: Callable[..., list[Call]],
) -> None:
    calls = verified("notte", lambda entries: edit(entries[2], status="active"))
    assert differences(calls[2]) == [("values", "/status"), ("time", "/status")]
    (_, change) = calls[2].differences
    assert (change.recorded, change.double) == ("'active' to 'active'", "'active' to 'timed_out'")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"title": "Refund of order 19"}, [("values", "/title"), ("time", "/title")]),
        ({"title": 17}, [("shape", "/title"), ("time", "/title")]),
        ({"state": {"step": True}}, [("shape", "/state/step")]),
        ({"state": []}, [("shape", "/state")]),
        ({"end_date": None}, [("shape", "/end_date")]),
        ({"updated_at": "2026-03-01T12:01:02.1Z"}, []),
        (
            {"updated_at": "2026-03-01T12:01:03.1Z"},
            [("values", "/updated_at"), ("time", "/updated_at")],
        ),
        ({"updated_at": "2026-03-01T13:01:00+01:00"}, []),
    ],
)
def test_values_differ_but_for_instants_close_to_each_other(
    verified: Callable[..., list[Call]], values: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    calls = verified("scale", lambda entries: edit(entries[2], **values))
    assert sorted(differences(calls[2])) == sorted(found)


def test_an_id_stands_for_one_session_only(verified: Callable[..., list[Call]]) -> None:
    other = "b8a0a6a1-4d2f-4d0e-9f0a-000000000001"
    calls = verified("scale", lambda entries: edit(entries[2], id=other))
    assert ("values", "/id") not in differences(calls[1])
    calls = verified("scale", lambda entries: edit(entries[2], created_by_user_id=other, id=other))
    assert differences(calls[2]) != []


def test_a_list_s_sessions_from_before_the_recording_are_left_out(
    verified: Callable[..., list[Call]],
) -> None:
    def add(entries: Entries) -> None:
        content = entries[3]["response"]["content"]
        page = json.loads(content["text"])
        page["data"].append(page["data"][0] | {"id": "b8a0a6a1-4d2f-4d0e-9f0a-000000000001"})
        content["text"] = json.dumps(page)

    assert differences(verified("mobilenext", add)[3]) == []


def test_a_list_that_lacks_a_session_of_the_recording_differs(
    verified: Callable[..., list[Call]],
) -> None:
    calls = verified("mobilenext", lambda entries: edit(entries[3], data=[]))
    assert ("values", "/data") in differences(calls[3])


def test_what_cannot_be_replayed_is_left_out(verified: Callable[..., list[Call]]) -> None:
    def add(entries: Entries) -> None:
        get = entries[1]
        url = "https://api.notte.cc"
        left_out = {"/logo.png": 200, "/sessions/b8a0a6a1": 200, "/sessions": 0, "/%00": 200}
        for path, status in left_out.items():
            entries.append(
                get
                | {"request": get["request"] | {"url": url + path}}
                | {"response": {"status": status, "content": {}}}
            )

    calls = verified("notte", add)
    assert [call.left_out for call in calls if call.left_out] == [
        "not a route of notte",
        "it names what the recording does not create: b8a0a6a1",
        "no response was recorded",
        "POST /_control/v1/requests/explain: /path must not contain NUL or a lone surrogate",
    ]


def test_an_unknown_session_and_a_refused_key_are_replayed(
    verified: Callable[..., list[Call]],
) -> None:
    def add(entries: Entries) -> None:
        get = entries[1]
        for status, text in (
            (404, '{"detail": "Session b8a0a6a1 not found", "session_id": "b8a0a6a1"}'),
            (401, '{"detail": "Not authenticated"}'),
        ):
            url = "https://api.notte.cc/sessions/b8a0a6a1"
            entries.append(
                get
                | {"request": get["request"] | {"url": url}}
                | {"response": {"status": status, "content": {"text": text}}}
            )

    calls = verified("notte", add)
    added = [call for call in calls if call.entry.status >= 400]
    assert [call.checks["status"] for call in added] == [True, True]


def test_bodies_may_be_encoded_or_absent(verified: Callable[..., list[Call]]) -> None:
    def change(entries: Entries) -> None:
        content = entries[1]["response"]["content"]
        text = base64.b64encode(content["text"].encode()).decode()
        content |= {"text": text, "encoding": "base64"}
        entries[2]["response"]["content"] = None
        entries[2]["request"]["postData"] = entries[2]["time"] = None

    _, encoded, absent, _ = verified("notte", change)
    assert (encoded.checks["values"], encoded.differences) == (True, [])
    assert (absent.checks["status"], absent.checks["values"]) == (True, None)


def test_no_credential_is_sent_or_printed(tmp_path: Path) -> None:
    text = (TRAFFIC / "notte.har").read_text().replace("REDACTED", "sk-notte-of-a-real-account")
    file = tmp_path / "traffic.har"
    file.write_text(text)
    for arguments in ((), ("--json",)):
        printed = run_command(COMMAND, "verify", str(file), "--surface", "notte", *arguments)
        assert printed.returncode == 0, printed.stderr
        assert "real-account" not in printed.stdout


def test_the_command_prints_a_score_each_call_and_the_lines_that_differ() -> None:
    printed = run_command(COMMAND, "verify", str(TRAFFIC / "notte.har"), "--surface", "notte")
    first, second, *lines = printed.stdout.splitlines()
    assert first == "notte: 93.3 % (status 4 of 4, shape 3 of 4, values 4 of 4, time 3 of 3)"
    assert second == "2026-03-01T12:00:00.000000Z  POST /session/start -> 200: differs in shape"
    assert "    shape /closed_at: nothing in the recording, null here" in lines
    assert lines[-1].endswith("POST /session/close -> 200: same")


def test_the_command_prints_json() -> None:
    file = str(TRAFFIC / "notte.har")
    printed = run_command(COMMAND, "verify", file, "--surface", "notte", "--json")
    found = json.loads(printed.stdout)
    assert (found["surface"], found["score"]) == ("notte", 93.3)
    assert found["checks"]["shape"] == {"held": 3, "count": 4}
    assert found["calls"][1]["route"] == "/sessions/{session_id}"
    closed_at = {"check": "shape", "pointer": "/closed_at", "double": None}
    assert closed_at in found["calls"][0]["differences"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<html>", "Expecting value"),
        ("{}", "no 'log'"),
        ('{"log": {"entries": [{}]}}', "no 'request'"),
        ("[]", "it must be an object"),
        ('{"log": []}', "log must be an object"),
        ('{"log": {"entries": [1]}}', "entries/0 must be an object"),
    ],
)
def test_a_file_that_is_no_har_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "x.har"
    file.write_text(text)
    with pytest.raises(BadHar, match=reason):
        read_har(file)
    refused = run_command(COMMAND, "verify", str(file), "--surface", "notte")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"Error: {file} is not a HAR file: ")


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("time", float("inf"), "entries/1/time must be a finite number"),
        ("time", "12", "entries/1/time must be a number"),
        ("request/headers", None, "entries/1/request/headers must be a list"),
        ("request/headers", [{"name": "a"}], "no 'value' in entries/1/request/headers/0"),
        ("response/status", "200", "entries/1/response/status must be a whole number"),
        ("response/content", {"text": 1}, "entries/1/response/content/text must be text"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named_with_its_place(
    tmp_path: Path, part: str, value: Any, reason: str
) -> None:
    har = json.loads((TRAFFIC / "notte.har").read_text())
    *parents, name = part.split("/")
    holder = har["log"]["entries"][1]
    for parent in parents:
        holder = holder[parent]
    holder[name] = value
    file = tmp_path / "x.har"
    file.write_text(json.dumps(har))
    with pytest.raises(BadHar) as refused:
        read_har(file)
    assert str(refused.value) == f"{file} is not a HAR file: {reason}"


def test_an_instant_that_no_clock_shows_gets_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.har"
    file.write_text(
        (TRAFFIC / "notte.har").read_text().replace("2026-03-01T12:00:00Z", "1960-03-01T12:00:00Z")
    )
    refused = run_command(COMMAND, "verify", str(file), "--surface", "notte")
    reason = "entries/0/startedDateTime must lie between the years 1970 and 9000"
    assert refused.stderr == f"Error: {file} is not a HAR file: {reason}\n"


def test_a_file_that_is_missing_and_one_without_calls_get_a_sentence(tmp_path: Path) -> None:
    missing = run_command(COMMAND, "verify", str(tmp_path / "x.har"), "--surface", "notte")
    assert missing.stderr == f"Error: {tmp_path}/x.har cannot be used: No such file or directory\n"
    empty = tmp_path / "empty.har"
    empty.write_text('{"log": {"entries": []}}')
    printed = run_command(COMMAND, "verify", str(empty), "--surface", "notte")
    assert (printed.returncode, printed.stdout) == (1, "notte: no call could be compared\n")
