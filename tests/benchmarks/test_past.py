"""A read of the past looks at few rows, however many were written, and no client waits for it."""

import sqlite3
from collections.abc import Callable
from threading import Thread
from time import perf_counter
from urllib.request import urlopen

import pytest

from benchmarks import past
from benchmarks.requests import Request, wsgi_call
from sessionary.embedded import EmbeddedServer

SIZES = 2_000, 16_000
READS = [*past.PAGES, "get", "get_late", "explain", "diff", "diff_10", "late_diff"]


def steps_of(connection: sqlite3.Connection, call: Callable[[], object]) -> int:
    """The number of steps that SQLite's virtual machine takes, in tens."""
    count = 0

    def add() -> None:
        nonlocal count
        count += 1

    connection.set_progress_handler(add, 10)
    call()
    connection.set_progress_handler(None, 0)
    return count


@pytest.fixture(scope="module")
def steps() -> dict[str, list[int]]:
    """SQLite's steps for each read after few and after many writes."""
    found: dict[str, list[int]] = {}
    for size in SIZES:
        with past.filled(size) as (app, reads):
            connection = app.extensions["sessionary.control"].namespace.connection()
            for name in READS:
                surface, path, at = reads[name]
                headers = past.HEADERS[surface] | ({"Sessionary-At": at} if at else {})
                call = wsgi_call(app, Request("GET", path), headers)
                call()  # it renders its statements
                found.setdefault(name, []).append(steps_of(connection, call))
    return found


@pytest.mark.parametrize("name", READS)
def test_a_read_of_the_past_takes_no_more_steps_after_many_writes(
    steps: dict[str, list[int]], name: str
) -> None:
    few, many = steps[name]
    assert 0 < many < 2 * few + 200


def test_no_client_waits_for_a_long_read_of_the_past() -> None:
    with past.filled(4_000) as (app, _), EmbeddedServer(app, threads=2) as server:
        url = f"{server.url}/_control/v1/diff?limit=10000&from={past.FIRST}"
        took: list[float] = []

        def read() -> None:
            began = perf_counter()
            urlopen(url).read()  # noqa: S310 - our own server
            took.append(perf_counter() - began)

        thread = Thread(target=read)
        thread.start()
        waits = []
        while thread.is_alive():
            began = perf_counter()
            urlopen(f"{server.url}/livez").read()  # noqa: S310
            waits.append(perf_counter() - began)
        thread.join()
    assert len(waits) > 3
    assert max(waits) < took[0] / 2
