"""Compares the answers of two runs with the same steps."""

import json
from collections.abc import Iterator
from typing import Any

from sessionary.replay.run_file import Run, Step

_MAX_LENGTH = 100
_MISSING: Any = object()


def first_difference(recorded: Run, played: Run) -> str | None:
    """Return a sentence about the first answer that differs, or None.

    It has the number of the call, its method and path, and the JSON path of what differs.
    """
    for number, (before, now) in enumerate(zip(recorded.calls, played.calls, strict=True), 1):
        for text in _differences(before, now):
            return f"call {number}, {before['method']} {before['path']}: {text}"
    return None


def _differences(before: Step, now: Step) -> Iterator[str]:
    if before["status"] != now["status"]:
        yield f"the status {_change(before['status'], now['status'])}"
    if before["answer"] != now["answer"]:
        yield _body_difference(before["answer"], now["answer"])
    names = dict.fromkeys([*before["answer_headers"], *now["answer_headers"]])
    for name in names:
        given = before["answer_headers"].get(name), now["answer_headers"].get(name)
        if given[0] != given[1]:
            yield f"the header {name} {_change(*given)}"
    if before.get("answer_sha256") != now.get("answer_sha256"):
        yield "the body differs after its first part, which is all that the run holds of it"


def _body_difference(before: str | None, now: str | None) -> str:
    try:
        old, new = json.loads(before or ""), json.loads(now or "")
    except ValueError:
        return f"the body {_change(before, now)}"
    for path, *values in _json_differences("$", old, new):
        return f"{path} {_change(*values)}"
    return "the body is the same JSON in other bytes"


def _json_differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            values = old.get(name, _MISSING), new.get(name, _MISSING)
            yield from _json_differences(f"{path}.{name}", *values)
    elif isinstance(old, list) and isinstance(new, list):
        for number in range(max(len(old), len(new))):
            values = old[number : number + 1] or [_MISSING], new[number : number + 1] or [_MISSING]
            yield from _json_differences(f"{path}[{number}]", values[0][0], values[1][0])
    elif type(old) is not type(new) or old != new:
        yield path, old, new


def _change(before: Any, now: Any) -> str:
    return f"was {_show(before)}, is {_show(now)}"


def _show(value: Any) -> str:
    if value is _MISSING:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
