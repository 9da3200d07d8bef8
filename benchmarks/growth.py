"""Growth: what each call costs in a file of a thousand sessions, and of a million, in turns."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.measure import alternate, median, ratio, seconds_each
from benchmarks.namespaces import Filled, filled
from benchmarks.profiles import Effort
from benchmarks.requests import Request, calling
from benchmarks.vendors import VENDORS

FIRST_PAGE = "first page"
_ROUNDS = 7


def run(effort: Effort, folder: Path, sizes: Sequence[int] | None = None) -> dict[str, Any]:
    """Each surface by itself: microseconds by size, and the largest size over the smallest."""
    sizes = sizes or effort.sizes
    rounds = min(effort.rounds, _ROUNDS)
    return {
        "sizes": list(sizes),
        "surfaces": {
            vendor.NAME: _surface(vendor, folder, sizes, rounds, effort.batch) for vendor in VENDORS
        },
    }


def _surface(
    vendor: ModuleType, folder: Path, sizes: Sequence[int], rounds: int, batch: int
) -> dict[str, Any]:
    with ExitStack() as stack:
        namespaces = {
            str(size): stack.enter_context(
                filled(folder / f"{size}.sqlite3", [vendor], size, durability="normal")
            )
            for size in sizes
        }
        calls = {size: _calls(vendor, namespace, batch) for size, namespace in namespaces.items()}
        return {name: _grown(name, calls, rounds) for name in calls[str(sizes[0])]}


def _grown(
    name: str, calls: dict[str, dict[str, Callable[[], float]]], rounds: int
) -> dict[str, Any]:
    samples = alternate({size: named[name] for size, named in calls.items()}, rounds)
    first, *_, last = samples.values()
    return {
        "us": {size: median(found) * 1e6 for size, found in samples.items()},
        "largest_over_smallest": ratio(last, first),
    }


def _calls(vendor: ModuleType, namespace: Filled, batch: int) -> dict[str, Callable[[], float]]:
    """A batch of each call; lists are few, because they are slow."""
    numbers = itertools.cycle(range(0, namespace.place.count, max(namespace.place.count // 97, 1)))
    lists = {FIRST_PAGE: vendor.FIRST_PAGE, **vendor.pages(namespace.place)}
    create = vendor.creation(namespace.place)
    few = max(batch // 12, 2)
    return {
        "get": lambda: _timed(
            vendor, namespace, [vendor.reading(vendor.id_of(next(numbers))) for _ in range(batch)]
        ),
        **{
            name: partial(_timed, vendor, namespace, [request] * (2 if "deep" in name else few))
            for name, request in lists.items()
        },
        "create": lambda: _timed(vendor, namespace, [create] * batch, waits=True),
    }


def _timed(
    vendor: ModuleType, namespace: Filled, requests: Sequence[Request], *, waits: bool = False
) -> float:
    headers = vendor.headers(namespace.place.keys[vendor.NAME])
    calls = [calling(namespace.app, each, headers) for each in requests]
    return seconds_each(calls, waits=waits)
