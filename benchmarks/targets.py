"""The targets of the benchmark, and whether the results meet them."""

import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks import loopback, past, results
from benchmarks.results import Finding, Results, Void


class Target(NamedTuple):
    """A limit for one result, which must be at most or at least this."""

    key: str
    description: str
    limit: float
    at_most: bool
    find: Callable[[Results], Finding]  # the value, and a note on it
    unit: str = ""


class Outcome(NamedTuple):
    """The result for a target; None where it was not measured."""

    key: str
    description: str
    limit: str
    measured: float | None
    met: bool | None
    note: str


def evaluate(results: Results) -> list[Outcome]:
    """Evaluate every target, those of skipped parts too."""
    return [_evaluate(target, results) for target in TARGETS]


def _evaluate(target: Target, results: Results) -> Outcome:
    compare, sign = (operator.le, "≤") if target.at_most else (operator.ge, "≥")
    limit = f"{sign} {target.limit:g} {target.unit}".rstrip()
    try:
        measured, note = target.find(results)
    except Void as void:
        return Outcome(target.key, target.description, limit, void.value, None, str(void))
    except KeyError as missing:
        return Outcome(
            target.key, target.description, limit, None, None, _skip_reason(results, missing)
        )
    return Outcome(
        target.key, target.description, limit, measured, compare(measured, target.limit), note
    )


def _skip_reason(results: Results, missing: KeyError) -> str:
    name = missing.args[0]
    loopback_results = results.get("loopback", {})
    skipped = loopback_results.get("skipped") or loopback_results.get("skipped_rivals", {}).get(
        name
    )
    return skipped or f"not measured: {name}"


_PAST: dict[str, tuple[Any, ...]] = {  # description, limit in ms, and the reads
    "past_session": ("one session", 2, "get", "get_late", "explain"),
    "past_page": ("a page of 100", 15, *past.PAGES),
    "past_diff": (
        "a diff with a limit of 100, the default",
        50,
        "diff",
        "diff_10",
        "diff_100",
        "late_diff",
    ),
}
_TRANSITIONS = {
    "timeline": "timeline of 100 beside many open sessions of each surface",
    "to_next": "clock to the next transition beside many open sessions",
    "sessions": "sessions of all surfaces, page of 100 beside many",
    "sessions_of_mobilenext": "the same of Mobile Next alone",
}
_STALLS = {  # the disturbance, and the limit of another client's wait in ms
    "foreign_lock": ("another process holds the write lock", 250),
    "seed": ("a seed of 1,000 rows on the live file", 250),
    "idle": ("500 idle connections to serve", 50),
    "idle_double": ("500 idle connections to a double", 50),
    "unread_pages": ("10 unread pages of 150 MB", 250),
    "delayed": ("200 delayed calls on serve", 250),
    "delayed_double": ("200 delayed calls in another namespace of a double", 250),
}
_STALL_MIB = 64


def _stall_targets() -> Iterator[Target]:
    for name, (beside, limit) in _STALLS.items():
        wait, memory = results.stall_wait(name, limit), results.stall_memory(name)
        yield Target(f"{name}_wait", f"{beside}: worst wait", limit, True, wait, "ms")
        yield Target(
            f"{name}_memory", f"{beside}: peak memory over idle", _STALL_MIB, True, memory, "MiB"
        )


TARGETS = (
    Target(
        "get_in_process",
        "get one session, in process, ÷ Flask hello",
        2.4,
        True,
        results.in_process("get"),
    ),
    Target(
        "create_in_process",
        "create, in process, durability normal, ÷ Flask hello",
        5.5,
        True,
        results.in_process("create"),
    ),
    Target(
        "list_in_process",
        "list of 100, in process, ÷ Flask hello, with the stdlib's JSON",
        15,
        True,
        results.in_process("list"),
    ),
    Target(
        "list_with_orjson",
        "list of 100, in process, ÷ Flask hello, with orjson",
        10,
        True,
        results.in_process("list (orjson)"),
    ),
    Target(
        "get_over_hello",
        "get over HTTP, 8 connections, ÷ Flask hello on gthread 1x4",
        1.2,
        False,
        results.over(loopback.HELLO, "get"),
    ),
    Target(
        "get_over_moto",
        "get over HTTP ÷ moto_server",
        7,
        False,
        results.over(loopback.MOTO, "get"),
    ),
    Target(
        "create_over_moto",
        "create over HTTP ÷ moto_server",
        4.5,
        False,
        results.over(loopback.MOTO, "create"),
    ),
    Target(
        "get_over_fastapi",
        "get over HTTP ÷ FastAPI + uvicorn",
        0.8,
        False,
        results.over(loopback.FASTAPI, "get"),
    ),
    Target(
        "create_over_fastapi",
        "create over HTTP ÷ FastAPI + uvicorn",
        0.7,
        False,
        results.over(loopback.FASTAPI, "create"),
    ),
    Target(
        "create_full_over_raw",
        "create, durability full, in process ÷ raw sqlite3 insert-commit",
        0.5,
        False,
        results.full_durability,
    ),
    Target(
        "pages_grown",
        "first page of 100 and Mobile Next's cursor page, largest ÷ smallest",
        1.3,
        True,
        results.pages,
    ),
    Target(
        "total_grown",
        "Scale page with total_item_count, largest ÷ smallest",
        2,
        True,
        results.total,
    ),
    Target(
        "lock_errors",
        "2 processes x 4 threads writing: errors seen by clients",
        0,
        True,
        results.errors,
    ),
    Target(
        "worst_wait",
        "2 processes x 4 threads writing: worst wait",
        250,
        True,
        results.worst_wait,
        "ms",
    ),
    Target("cold_start", "serve, cold start to first response", 0.35, True, results.cold, "s"),
    Target("idle_memory", "idle memory with one worker", 64, True, results.idle, "MiB"),
    Target(
        "memory_grown", "memory after many mixed requests ÷ after 1,000", 1.1, True, results.after
    ),
    Target(
        "around_a_test",
        "a namespace for a test: created, checked for leaks, dropped",
        2,
        True,
        results.namespaces("around_a_test_ms"),
        "ms",
    ),
    Target("create_namespace", "a new namespace", 1, True, results.namespaces("create_ms"), "ms"),
    Target("reset_namespace", "a reset namespace", 1, True, results.namespaces("reset_ms"), "ms"),
    Target("fork_namespace", "a copied namespace", 2, True, results.namespaces("fork_ms"), "ms"),
    Target("double_ready", "double, start to ready", 0.35, True, results.double("ready_s"), "s"),
    Target("double_memory", "double, memory", 45, True, results.double("memory_mib"), "MiB"),
    Target("double_stop", "double, stop", 0.05, True, results.double("stop_s"), "s"),
    Target(
        "namespace_memory",
        "double, memory of each of many namespaces",
        100,
        True,
        results.double("kib_a_namespace"),
        "KiB",
    ),
    *(
        Target(name, f"as of the past: {description}", limit, True, results.past(*names), "ms")
        for name, (description, limit, *names) in _PAST.items()
    ),
    *(
        Target(name, description, 5, True, results.transitions(name), "ms")
        for name, description in _TRANSITIONS.items()
    ),
    *_stall_targets(),
)
