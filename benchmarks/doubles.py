"""Namespaces of a double: created, reset, forked, and used for one test."""

import itertools
from typing import Any

from benchmarks.measure import seconds_each
from benchmarks.profiles import Profile
from sessionary import make_settings
from sessionary.factory.double_startup import prepare_double
from sessionary.settings import DOUBLE
from sessionary.testing import Server, reports

_LARGE = 250_000  # bytes


def run(profile: Profile) -> dict[str, Any]:
    """Return medians in milliseconds, in this process."""
    calls = profile.rounds * profile.batch
    return {"around_a_test_ms": _around_a_test(calls), **_namespaces(calls)}


def _around_a_test(calls: int) -> float:
    """Do what the fixture does: create a namespace, check for leaks, drop it."""
    server = Server()

    def around() -> None:
        namespace = server.namespace(now="2026-03-01T12:00:00Z")
        reports.unmatched_faults(namespace)
        reports.unclosed_sessions(namespace)
        namespace.drop()

    around()
    took = seconds_each([around] * calls, waits=True)
    server.stop()
    return took * 1000


def _namespaces(calls: int) -> dict[str, Any]:
    namespaces = prepare_double(make_settings(**DOUBLE | {"max_namespaces": 2 * calls + 3}))
    large = _large()
    names = (f"w{number}" for number in itertools.count())
    namespaces.create("reset")
    namespaces.restore("large", large)
    took = {
        "create_ms": seconds_each([lambda: namespaces.create(next(names))] * calls, waits=True),
        "reset_ms": seconds_each([lambda: namespaces.reset("reset")] * calls, waits=True),
        "fork_ms": seconds_each(
            [lambda: namespaces.fork("large", next(names))] * calls, waits=True
        ),
    }
    namespaces.close()
    return {name: seconds * 1000 for name, seconds in took.items()} | {"forked_bytes": len(large)}


def _large() -> bytes:
    """Return a snapshot of a namespace with many sessions."""
    server = Server()
    namespace = server.namespace()
    rows = [
        {"id": f"0b8f7a52-6f0e-4f0a-9d5c-{number:012}", "organization": "acme"}
        | {"created_ago": "1m", "last_accessed_ago": "1m"}
        for number in range(400)
    ]
    acme = {"organizations": [{"id": "acme", "name": "Acme"}]}
    while len(contents := namespace.namespaces.snapshot()) < _LARGE:
        namespace.seed(acme | {"notte": {"sessions": rows}})
        rows = [each | {"id": each["id"].replace("0b8f", "0b90")} for each in rows]
    server.stop()
    return contents
