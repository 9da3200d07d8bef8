"""What is told of a world when a test is over: as lines for people."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from sessionary.client import Client, Problem
from sessionary.client.responses import Call, Edge, Fault, Summary

if TYPE_CHECKING:
    from sessionary.testing.namespace import World

_LATEST_CALLS = 30
_EDGES = 20
_SESSIONS = 10
_LONGEST = 200


def call_line(call: Call) -> str:
    """A call in a line: when, what, with which body, and how it was answered."""
    body = "" if call["body"] is None else f" {_short(call['body'])}"
    answered = "no answer" if call["status"] is None else str(call["status"])
    by = f" by fault {call['fault']['id']}" if call["fault"] else ""
    owner = f"{call['surface']}: " if call["surface"] else ""
    return f"{call['at']}  {owner}{call['method']} {call['path']}{body} -> {answered}{by}"


def journal(world: Client) -> str:
    """The latest calls in a world."""
    calls = world.journal.find()
    lines = [call_line(call) for call in calls[-_LATEST_CALLS:]]
    more = len(calls) - len(lines) + world.journal.dropped()
    return "\n".join(([f"({more} earlier calls)"] if more else []) + lines)


def timeline(world: Client) -> str:
    """What comes in a world."""
    found = world.timeline(limit=_EDGES)
    lines = [f"{found['now']}  now", *map(edge_line, found["edges"])]
    return "\n".join(lines + (["(and more)"] if found["is_cut"] else []))


def edge_line(edge: Edge) -> str:
    """An edge in a line."""
    part = f", {edge['part']}" if edge["part"] else ""
    change = f"{edge['before']} -> {edge['after']} ({edge['rule']})"
    return f"{edge['at']}  {edge['surface']} {edge['session']}{part}: {change}"


def explanations(world: Client) -> str:
    """Why the sessions that were called about are in their states, the latest first."""
    calls = reversed(world.journal.find())
    touched = dict.fromkeys((call["session"], call["surface"]) for call in calls)
    named = [(session, surface) for session, surface in touched if session]
    told = [_explained(world, session, surface) for session, surface in named[:_SESSIONS]]
    more = len(named) - len(told)
    return "\n".join(told + ([f"(and {more} more sessions)"] if more else []))


def sections(world: Client) -> list[tuple[str, str]]:
    """What a failing test's report says of a world: titles and texts."""
    told = {"calls": journal, "timeline": timeline, "sessions called about": explanations}
    return [
        (f"sessionary: {title} in the world {world.namespace}", _tried(tell, world))
        for title, tell in told.items()
    ]


def left_open(world: "World") -> list[str]:
    """The sessions that a test left open in its world, each with the call that opened it."""
    sessions = [each for each in world.sessions() if each["is_open"]]
    return [_opened(world, each) for each in sessions if each["id"] not in world.given]


def never_hit(world: Client) -> list[str]:
    """The faults that were armed in a world and never hit."""
    return [_armed(fault) for fault in world.faults.list(unhit=True)]


def _tried(tell: Callable[[Client], str], world: Client) -> str:
    """A report must not fail because there is nothing to tell it from."""
    try:
        return tell(world) or "(none)"
    except (Problem, OSError) as error:
        return f"({error})"


def _opened(world: Client, session: Summary) -> str:
    calls = world.journal.find(session=session["id"], surface=session["surface"], limit=1)
    opened = f"opened by {call_line(calls[0])}" if calls else "no call of it is in the journal"
    said = f"{session['surface']} {session['id']} is {session['status']}"
    return f"{said} since {session['since']}; {opened}"


def _armed(fault: Fault) -> str:
    of = " ".join(each for each in (fault["surface"], fault["method"], fault["route"]) if each)
    return f"fault {fault['id']} of {of}: {fault['preset'] or fault['kind']}"


def _explained(world: Client, session: str, surface: str | None) -> str:
    try:
        found = world.explain(session, surface)
    except Problem as problem:
        return f"{surface} {session}: {problem}"
    lines = [f"{surface} {session} is {found['status']} since {found['since']}: {found['says']}"]
    lines += [f"  {found['otherwise']}"] if found["otherwise"] else []
    return "\n".join(lines)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
