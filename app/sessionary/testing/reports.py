"""Reports about a namespace after a test: sections of a failure report, and leaks."""

import json
import shlex
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sessionary.client import Client, ControlError
from sessionary.client.journal import place
from sessionary.client.responses import Call, Transition

if TYPE_CHECKING:
    from sessionary.testing.namespace import Namespace

Found = TypeVar("Found")
_MAX_CALLS = 30
_MAX_TRANSITIONS = 20
_MAX_SESSIONS = 10
_MAX_BODY_LENGTH = 200


def call_line(call: Call) -> str:
    """Format a call as one line: time, surface, method, path, body and response status."""
    body = "" if call["body"] is None else f" {_shorten(call['body'])}"
    status = "no response" if call["status"] is None else call["status"]
    fault = f" by fault {call['fault']['id']}" if call["fault"] else ""
    surface = f"{call['surface']}: " if call["surface"] else ""
    return f"{call['at']}  {surface}{call['method']} {place(call)}{body} -> {status}{fault}"


def transition_line(transition: Transition) -> str:
    """Format a transition as one line."""
    part = f", {transition['part']}" if transition["part"] else ""
    change = f"{transition['from_status']} -> {transition['to_status']} ({transition['rule']})"
    return f"{transition['at']}  {transition['surface']} {transition['session']}{part}: {change}"


def failure_sections(namespace: Client) -> list[tuple[str, str]]:
    """Return the titles and texts that the report of a failed test shows about a namespace."""
    sections = {"calls": _calls, "timeline": _timeline, "sessions": _sessions}
    return [
        (f"sessionary: {title} in namespace {namespace.namespace}", _text(section, namespace))
        for title, section in sections.items()
    ]


def run_section(namespace: "Namespace", file: Path) -> list[tuple[str, str]]:
    """Save the run of a namespace; return the section of a report that says how to do it again."""
    try:
        namespace.save_run(file)
    except (ControlError, OSError):  # it is not recorded, or gone
        return []
    title = f"sessionary: run of namespace {namespace.namespace}"
    return [(title, f"sessionary replay {shlex.quote(str(file))}")]


def temporary_folder() -> Path:
    """Return a folder for the runs of failing tests."""
    folder = Path(tempfile.gettempdir(), "sessionary-runs")
    folder.mkdir(exist_ok=True)
    return folder


def file_name(test: str) -> str:
    """Return the end of a test's id, without what a file name cannot have."""
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in test)[-150:]


def unclosed_sessions(namespace: "Namespace") -> Iterator[str]:
    """Describe the sessions that a test opened and did not close, with the calls that did."""
    for session in _unless_dropped(namespace.sessions):
        id, surface = session["id"], session["surface"]
        if session["open"] and id not in namespace.seeded_ids:
            calls = namespace.journal.find(session=id, surface=surface, limit=1)
            opened = f"opened by {call_line(calls[0])}" if calls else "no call of it is recorded"
            yield f"{surface} {id} is {session['status']} since {session['since']}; {opened}"


def unmatched_faults(namespace: Client) -> Iterator[str]:
    """Describe the armed faults that no call has matched."""
    for fault in _unless_dropped(partial(namespace.faults.list, unmatched=True)):
        match = " ".join(filter(None, (fault["surface"], fault["method"], fault["route"])))
        yield f"fault {fault['id']} for {match}: {fault['preset'] or fault['kind']}"


def _unless_dropped(find: Callable[[], list[Found]]) -> list[Found]:
    """What is found in a namespace; nothing if the test has dropped it."""
    try:
        return find()
    except ControlError as error:
        if error.status != 404:
            raise
        return []


def _text(section: Callable[[Client], str], namespace: Client) -> str:
    """Make the text of a section; if the server is gone, the reason."""
    try:
        return section(namespace) or "(none)"
    except (ControlError, OSError) as error:
        return f"({error})"


def _calls(namespace: Client) -> str:
    calls = namespace.journal.find()
    lines = [call_line(call) for call in calls[-_MAX_CALLS:]]
    omitted = len(calls) - len(lines) + namespace.journal.dropped_count()
    return "\n".join(([f"({omitted} earlier calls)"] if omitted else []) + lines)


def _timeline(namespace: Client) -> str:
    found = namespace.timeline(limit=_MAX_TRANSITIONS)
    lines = [f"{found['now']}  now", *map(transition_line, found["transitions"])]
    return "\n".join(lines + (["(and more)"] if found["truncated"] else []))


def _sessions(namespace: Client) -> str:
    """Explain the status of each session that was called, the latest call first."""
    calls = reversed(namespace.journal.find())
    sessions = dict.fromkeys((call["session"], call["surface"]) for call in calls)
    named = [(session, surface) for session, surface in sessions if session]
    texts = [_explanation(namespace, *each) for each in named[:_MAX_SESSIONS]]
    omitted = len(named) - len(texts)
    return "\n".join(texts + ([f"(and {omitted} more sessions)"] if omitted else []))


def _explanation(namespace: Client, session: str, surface: str | None) -> str:
    try:
        found = namespace.explain(session, surface)
    except ControlError as error:
        return f"{surface} {session}: {error}"
    lines = [f"{surface} {session} is {found['status']} since {found['since']}: {found['reason']}"]
    lines += [f"  unless: {found['unless']}"] if found["unless"] else []
    return "\n".join(lines)


def _shorten(value: object) -> str:
    """Return a value as JSON that a terminal shows as it is, up to a length."""
    text = json.dumps(value, ensure_ascii=False)
    text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return text if len(text) <= _MAX_BODY_LENGTH else f"{text[:_MAX_BODY_LENGTH]}…"
