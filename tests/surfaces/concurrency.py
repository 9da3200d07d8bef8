"""Calls in threads that start together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

THREADS = 8
Found = TypeVar("Found")


def run_concurrently(call: Callable[[int], Found], threads: int = THREADS) -> list[Found]:
    """Run `call(number)` in each thread, started together; return the results."""
    barrier = Barrier(threads)

    def begin(number: int) -> Found:
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(begin, range(threads)))
