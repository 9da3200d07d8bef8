"""Assertions about the calls in a test's namespace."""

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any, Unpack

from sessionary.client import Client, journal
from sessionary.client.responses import Call
from sessionary.client.transport import ControlApi
from sessionary.testing.json_diff import json_diff
from sessionary.testing.reports import call_line

__tracebackhide__ = True  # pytest leaves the frames of this module out
_ANY: Any = object()
_MAX_LINES = 5
_MAX_CANDIDATES = 200  # the latest calls, among which the closest are searched


class Journal(journal.Journal):
    """The journal of a namespace, with assertions."""

    def __init__(self, api: ControlApi, default: Callable[[], Client]) -> None:
        super().__init__(api)
        self._default = default

    def assert_called(
        self,
        method: str,
        path: str,
        *,
        times: int | None = None,
        json: Any = _ANY,
        **filters: Unpack[journal.Filters],
    ) -> list[Call]:
        """Assert that a route was called `times` times (default: at least once); return the calls.

        `json` is what the body must contain; its objects may have more members.
        """
        found = self.find(method, path, **filters)
        if json is not _ANY:
            found = [call for call in found if not list(json_diff(json, call["body"]))]
        if len(found) == times or (times is None and found):
            return found
        conditions = [f"{name}={value!r}" for name, value in filters.items()]
        conditions += [] if json is _ANY else [f"json={json!r}"]
        call = " with ".join(filter(None, (f"{method} {path}", ", ".join(conditions))))
        expected = "at least once" if times is None else _times(times)
        lines = [f"{call}: expected {expected}, called {_times(len(found))}"]
        lines += [f"  called: {call_line(call)}" for call in found[:_MAX_LINES]]
        raise AssertionError("\n".join(lines + self._closest(method, path, json, found)))

    def assert_not_called(self, method: str, path: str, **filters: Unpack[journal.Filters]) -> None:
        """Assert that a route was not called."""
        self.assert_called(method, path, times=0, **filters)

    def _closest(self, method: str, path: str, json: Any, found: list[Call]) -> list[str]:
        """Describe the calls that come closest to the expected one."""
        ids = {call["id"] for call in found}
        others = [call for call in self.find()[-_MAX_CANDIDATES:] if call["id"] not in ids]
        if not others:
            return [] if found else self._no_calls()
        ranked = sorted(others, key=lambda call: _distance(method, path, json, call))
        count = len(others)
        lines = ["closest calls:" if count <= _MAX_LINES else f"closest of {count} other calls:"]
        for call in ranked[:_MAX_LINES]:
            lines.append(f"  {call_line(call)}")
            lines += [f"    {each}" for each in _mismatches(method, path, json, call)]
        return lines

    def _no_calls(self) -> list[str]:
        count = self._default().journal.count()
        hint = [f"(the default namespace was called {_times(count)})"] if count else []
        return ["no call reached this namespace: does the client use its url and its key?", *hint]


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _distance(method: str, path: str, json: Any, call: Call) -> float:
    """Rank a call by its difference from the expected one: path, then method, then body."""
    similarity = SequenceMatcher(None, path, journal.place(call)).ratio()
    path_distance = 0.0 if _has_path(path, call) else 2.0 - similarity
    body_distance = 0 if json is _ANY else len(list(json_diff(json, call["body"])))
    return path_distance + (call["method"] != method) * 0.5 + min(body_distance, 9) * 0.05


def _mismatches(method: str, path: str, json: Any, call: Call) -> list[str]:
    lines = [] if call["method"] == method else [f"method is {call['method']}, expected {method}"]
    lines += [] if _has_path(path, call) else [f"path is {journal.place(call)}, expected {path}"]
    if json is not _ANY and not lines:
        lines += json_diff(json, call["body"])
    return lines


def _has_path(path: str, call: Call) -> bool:
    return path.removeprefix(f"/{call['surface']}") in (call["path"], call["route"])
