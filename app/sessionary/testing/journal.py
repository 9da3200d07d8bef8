"""What a test asserts of the calls that were made in its namespace."""

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any, Unpack

from sessionary.client import Client, journal
from sessionary.client.responses import Call
from sessionary.client.transport import ControlApi
from sessionary.testing.json_diff import json_diff
from sessionary.testing.reports import call_line

_ANYTHING: Any = object()
_SHOWN = 5
_LATEST = 200  # among so many calls near misses are looked for


class Journal(journal.Journal):
    """The journal of a test's namespace."""

    def __init__(self, api: ControlApi, default: Callable[[], Client]) -> None:
        super().__init__(api)
        self._default = default

    def assert_called(
        self,
        method: str,
        path: str,
        *,
        times: int | None = None,
        json: Any = _ANYTHING,
        **filters: Unpack[journal.Filters],
    ) -> list[Call]:
        """Fail unless the route was called so many times, or at least once; gives these calls.

        `json` is what the body has to contain: objects may have more members.
        """
        __tracebackhide__ = True
        found = self.find(method, path, **filters)
        if json is not _ANYTHING:
            found = [call for call in found if not list(json_diff(json, call["body"]))]
        if len(found) == times or (times is None and found):
            return found
        wanted = "at least once" if times is None else _times(times)
        said = [f"expected {method} {path} to be called {wanted}{_so(json, filters)}, "]
        said[0] += f"it was {_times(len(found))}" if found else "it was not"
        said += [f"  called: {call_line(call)}" for call in found[:_SHOWN]]
        raise AssertionError("\n".join(said + self._near(method, path, json, found)))

    def assert_not_called(self, method: str, path: str, **filters: Unpack[journal.Filters]) -> None:
        """Fail if the route was called."""
        __tracebackhide__ = True
        self.assert_called(method, path, times=0, **filters)

    def _near(self, method: str, path: str, json: Any, found: list[Call]) -> list[str]:
        known = {call["id"] for call in found}
        others = [call for call in self.find()[-_LATEST:] if call["id"] not in known]
        if not others:
            return [] if found else self._nothing()
        ranked = sorted(others, key=lambda call: _distance(method, path, json, call))
        said = ["near misses:" if len(others) <= _SHOWN else f"nearest of {len(others)} others:"]
        for call in ranked[:_SHOWN]:
            said.append(f"  {call_line(call)}")
            said += [f"    {each}" for each in _misses(method, path, json, call)]
        return said

    def _nothing(self) -> list[str]:
        said = ["nothing was called in this namespace: does the client have its url and its key?"]
        count = self._default().journal.count()
        return said + ([f"({_times(count)} in the default namespace)"] if count else [])


def _so(json: Any, filters: journal.Filters) -> str:
    said = [f"{name}={value!r}" for name, value in filters.items()]
    said += [] if json is _ANYTHING else [f"json={json!r}"]
    return f" with {', '.join(said)}" if said else ""


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _distance(method: str, path: str, json: Any, call: Call) -> float:
    """How far a call is from the expected one: by its path first, then its method and body."""
    near = SequenceMatcher(None, path, call["path"]).ratio()
    strange = 0.0 if _is_at(path, call) else 2.0 - near
    body = 0 if json is _ANYTHING else len(list(json_diff(json, call["body"])))
    return strange + (call["method"] != method) * 0.5 + min(body, 9) * 0.05


def _misses(method: str, path: str, json: Any, call: Call) -> list[str]:
    said = [] if call["method"] == method else [f"the method is {call['method']}, not {method}"]
    said += [] if _is_at(path, call) else [f"the path is {call['path']}, not {path}"]
    if json is not _ANYTHING and not said:
        said += json_diff(json, call["body"])
    return said


def _is_at(path: str, call: Call) -> bool:
    bare = path.removeprefix(f"/{call['surface']}")
    return bare in (call["path"], call["route"])
