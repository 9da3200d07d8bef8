"""What is told of a namespace when a test is over: as lines for people."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from sessionary.client import Client, ControlError
from sessionary.client.responses import Call, Fault, SessionSummary, Transition

if TYPE_CHECKING:
    from sessionary.testing.namespace import Namespace

_LATEST_CALLS = 30
_TRANSITIONS = 20
_SESSIONS = 10
_LONGEST = 200


def call_line(call: Call) -> str:
    """A call in a line: when, what, with which body, and how it was answered."""
    body = "" if call["body"] is None else f" {_short(call['body'])}"
    answered = "no answer" if call["status"] is None else str(call["status"])
    by = f" by fault {call['fault']['id']}" if call["fault"] else ""
    owner = f"{call['surface']}: " if call["surface"] else ""
    return f"{call['at']}  {owner}{call['method']} {call['path']}{body} -> {answered}{by}"


def journal(namespace: Client) -> str:
    """The latest calls in a namespace."""
    calls = namespace.journal.find()
    lines = [call_line(call) for call in calls[-_LATEST_CALLS:]]
    more = len(calls) - len(lines) + namespace.journal.dropped_count()
    return "\n".join(([f"({more} earlier calls)"] if more else []) + lines)


def timeline(namespace: Client) -> str:
    """What comes in a namespace."""
    found = namespace.timeline(limit=_TRANSITIONS)
    lines = [f"{found['now']}  now", *map(transition_line, found["transitions"])]
    return "\n".join(lines + (["(and more)"] if found["truncated"] else []))


def transition_line(transition: Transition) -> str:
    """A transition in a line."""
    part = f", {transition['part']}" if transition["part"] else ""
    change = f"{transition['from_status']} -> {transition['to_status']} ({transition['rule']})"
    return f"{transition['at']}  {transition['surface']} {transition['session']}{part}: {change}"


def explanations(namespace: Client) -> str:
    """Why the sessions that were called about are in their states, the latest first."""
    calls = reversed(namespace.journal.find())
    touched = dict.fromkeys((call["session"], call["surface"]) for call in calls)
    named = [(session, surface) for session, surface in touched if session]
    told = [_explained(namespace, session, surface) for session, surface in named[:_SESSIONS]]
    more = len(named) - len(told)
    return "\n".join(told + ([f"(and {more} more sessions)"] if more else []))


def sections(namespace: Client) -> list[tuple[str, str]]:
    """What a failing test's report says of a namespace: titles and texts."""
    told = {"calls": journal, "timeline": timeline, "sessions called about": explanations}
    return [
        (f"sessionary: {title} in the namespace {namespace.namespace}", _tried(tell, namespace))
        for title, tell in told.items()
    ]


def unclosed_sessions(namespace: "Namespace") -> list[str]:
    """The sessions that a test left open in its namespace, each with the call that opened it."""
    sessions = [each for each in namespace.sessions() if each["open"]]
    return [_opened(namespace, each) for each in sessions if each["id"] not in namespace.given]


def unmatched_faults(namespace: Client) -> list[str]:
    """The faults that were armed in a namespace and never hit."""
    return [_armed(fault) for fault in namespace.faults.list(unmatched=True)]


def _tried(tell: Callable[[Client], str], namespace: Client) -> str:
    """A report must not fail because there is nothing to tell it from."""
    try:
        return tell(namespace) or "(none)"
    except (ControlError, OSError) as error:
        return f"({error})"


def _opened(namespace: Client, session: SessionSummary) -> str:
    calls = namespace.journal.find(session=session["id"], surface=session["surface"], limit=1)
    opened = f"opened by {call_line(calls[0])}" if calls else "no call of it is in the journal"
    said = f"{session['surface']} {session['id']} is {session['status']}"
    return f"{said} since {session['since']}; {opened}"


def _armed(fault: Fault) -> str:
    of = " ".join(each for each in (fault["surface"], fault["method"], fault["route"]) if each)
    return f"fault {fault['id']} of {of}: {fault['preset'] or fault['kind']}"


def _explained(namespace: Client, session: str, surface: str | None) -> str:
    try:
        found = namespace.explain(session, surface)
    except ControlError as problem:
        return f"{surface} {session}: {problem}"
    lines = [f"{surface} {session} is {found['status']} since {found['since']}: {found['reason']}"]
    lines += [f"  {found['unless']}"] if found["unless"] else []
    return "\n".join(lines)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
