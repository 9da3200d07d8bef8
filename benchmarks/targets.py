"""The numbers to reach: each row of the table, where it is found, and whether it is reached."""

import operator
from collections.abc import Callable
from typing import NamedTuple

from benchmarks import loopback, results
from benchmarks.results import Finding, Results


class Bar(NamedTuple):
    """A row of the table: a bar is `at_most` or at least this."""

    key: str
    what: str
    reach: float
    at_most: bool
    find: Callable[[Results], Finding]  # the value, and what it is made of
    unit: str = ""


class Reached(NamedTuple):
    """What was measured of a bar; None where it was not."""

    key: str
    what: str
    reach: str
    measured: float | None
    reached: bool | None
    note: str


def judge(results: Results) -> list[Reached]:
    """Every row, also of the parts that were left out."""
    return [_judge(bar, results) for bar in BARS]


def _judge(bar: Bar, results: Results) -> Reached:
    compare, sign = (operator.le, "≤") if bar.at_most else (operator.ge, "≥")
    reach = f"{sign} {bar.reach:g} {bar.unit}".rstrip()
    try:
        measured, note = bar.find(results)
    except KeyError as missing:
        return Reached(bar.key, bar.what, reach, None, None, _why(results, missing))
    return Reached(bar.key, bar.what, reach, measured, compare(measured, bar.reach), note)


def _why(results: Results, missing: KeyError) -> str:
    name = missing.args[0]
    told = results.get("loopback", {})
    skipped = told.get("skipped") or told.get("skipped_rivals", {}).get(name)
    return skipped or f"not measured: {name}"


BARS = (
    Bar(
        "get_in_process",
        "get one session, in process, ÷ Flask hello",
        2.4,
        True,
        results.in_process("get"),
    ),
    Bar(
        "create_in_process",
        "create, in process, durability normal, ÷ Flask hello",
        5.5,
        True,
        results.in_process("create"),
    ),
    Bar(
        "list_in_process",
        "list of 100, in process, ÷ Flask hello, with the stdlib's JSON",
        15,
        True,
        results.in_process("list"),
    ),
    Bar(
        "list_with_orjson",
        "list of 100, in process, ÷ Flask hello, with orjson",
        10,
        True,
        results.in_process("list (orjson)"),
    ),
    Bar(
        "get_over_hello",
        "get over HTTP, 8 connections, ÷ Flask hello on gthread 1x4",
        1.2,
        False,
        results.over(loopback.HELLO, "get"),
    ),
    Bar(
        "get_over_moto",
        "get over HTTP ÷ moto_server",
        7,
        False,
        results.over(loopback.MOTO, "get"),
    ),
    Bar(
        "create_over_moto",
        "create over HTTP ÷ moto_server",
        4.5,
        False,
        results.over(loopback.MOTO, "create"),
    ),
    Bar(
        "get_over_fastapi",
        "get over HTTP ÷ FastAPI + uvicorn",
        0.8,
        False,
        results.over(loopback.FASTAPI, "get"),
    ),
    Bar(
        "create_over_fastapi",
        "create over HTTP ÷ FastAPI + uvicorn",
        0.7,
        False,
        results.over(loopback.FASTAPI, "create"),
    ),
    Bar(
        "create_full_over_raw",
        "create, durability full, in process ÷ raw sqlite3 insert-commit",
        0.5,
        False,
        results.full_durability,
    ),
    Bar(
        "pages_grown",
        "first page of 100 and Mobile Next's cursor page, largest ÷ smallest",
        1.3,
        True,
        results.pages,
    ),
    Bar(
        "total_grown",
        "Scale page with total_item_count, largest ÷ smallest",
        2,
        True,
        results.total,
    ),
    Bar(
        "lock_errors",
        "2 processes x 4 threads writing: errors that a client sees",
        0,
        True,
        results.errors,
    ),
    Bar(
        "worst_wait",
        "2 processes x 4 threads writing: worst wait",
        250,
        True,
        results.worst_wait,
        "ms",
    ),
    Bar("cold_start", "serve cold to first answer", 0.35, True, results.cold, "s"),
    Bar("idle_memory", "idle memory with one worker", 64, True, results.idle, "MiB"),
    Bar("memory_grown", "memory after many mixed requests ÷ after 1,000", 1.1, True, results.after),
    Bar(
        "around_a_test",
        "a namespace for a test: made, searched for leaks, dropped",
        2,
        True,
        results.namespaces("around_a_test_ms"),
        "ms",
    ),
    Bar("create_namespace", "a new namespace", 1, True, results.namespaces("create_ms"), "ms"),
    Bar("reset_namespace", "a reset namespace", 1, True, results.namespaces("reset_ms"), "ms"),
    Bar("fork_namespace", "a copied namespace", 2, True, results.namespaces("fork_ms"), "ms"),
    Bar("double_ready", "double, start to ready", 0.35, True, results.double("ready_s"), "s"),
    Bar("double_memory", "double, memory", 45, True, results.double("memory_mib"), "MiB"),
    Bar("double_stop", "double, stop", 0.05, True, results.double("stop_s"), "s"),
    Bar(
        "namespace_memory",
        "double, memory of each of many namespaces",
        100,
        True,
        results.double("kib_a_namespace"),
        "KiB",
    ),
)
