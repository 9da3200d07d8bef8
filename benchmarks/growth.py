"""Growth: the time of each call in a file of a thousand sessions, and of a million."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.measure import alternate, median, ratio, seconds_each
from benchmarks.namespaces import FilledApp, filled_app
from benchmarks.profiles import Profile
from benchmarks.requests import Request, wsgi_call
from benchmarks.vendors import VENDORS

FIRST_PAGE = "first page"
_ROUNDS = 7


def run(profile: Profile, folder: Path, sizes: Sequence[int] | None = None) -> dict[str, Any]:
    """Return, per surface and call, microseconds by size, and the largest over the smallest."""
    sizes = sizes or profile.sizes
    rounds = min(profile.rounds, _ROUNDS)
    return {
        "sizes": list(sizes),
        "surfaces": {
            vendor.NAME: _surface(vendor, folder, sizes, rounds, profile.batch)
            for vendor in VENDORS
        },
    }


def _surface(
    vendor: ModuleType, folder: Path, sizes: Sequence[int], rounds: int, batch: int
) -> dict[str, Any]:
    with ExitStack() as stack:
        namespaces = {
            str(size): stack.enter_context(
                filled_app(folder / f"{size}.sqlite3", [vendor], size, durability="normal")
            )
            for size in sizes
        }
        calls = {size: _calls(vendor, namespace, batch) for size, namespace in namespaces.items()}
        return {name: _compare(name, calls, rounds) for name in calls[str(sizes[0])]}


def _compare(
    name: str, calls: dict[str, dict[str, Callable[[], float]]], rounds: int
) -> dict[str, Any]:
    samples = alternate({size: named[name] for size, named in calls.items()}, rounds)
    first, *_, last = samples.values()
    return {
        "us": {size: median(found) * 1e6 for size, found in samples.items()},
        "largest_over_smallest": ratio(last, first),
    }


def _calls(vendor: ModuleType, namespace: FilledApp, batch: int) -> dict[str, Callable[[], float]]:
    """Return a batch of each call; of lists only a few, because they are slow."""
    numbers = itertools.cycle(
        range(0, namespace.dataset.session_count, max(namespace.dataset.session_count // 97, 1))
    )
    lists = {FIRST_PAGE: vendor.FIRST_PAGE, **vendor.pages(namespace.dataset)}
    create = vendor.creation(namespace.dataset)
    few = max(batch // 12, 2)
    return {
        "get": lambda: _time_calls(
            vendor, namespace, [vendor.reading(vendor.id_of(next(numbers))) for _ in range(batch)]
        ),
        **{
            name: partial(
                _time_calls, vendor, namespace, [request] * (2 if "deep" in name else few)
            )
            for name, request in lists.items()
        },
        "create": lambda: _time_calls(vendor, namespace, [create] * batch, waits=True),
    }


def _time_calls(
    vendor: ModuleType, namespace: FilledApp, requests: Sequence[Request], *, waits: bool = False
) -> float:
    headers = vendor.headers(namespace.dataset.keys[vendor.NAME])
    calls = [wsgi_call(namespace.app, each, headers) for each in requests]
    return seconds_each(calls, waits=waits)
