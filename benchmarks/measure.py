"""Alternating measurements, so that all candidates meet the same load of the machine."""

import os
import platform
import sqlite3
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

Samples = dict[str, list[float]]
_PACKAGES = (
    "sessionary",
    "flask",
    "werkzeug",
    "marshmallow",
    "peewee",
    "gunicorn",
    "orjson",
    "fastapi",
    "uvicorn",
    "moto",
)


def alternate(
    candidates: Mapping[str, Callable[[], float]], rounds: int, *, warm_up: bool = True
) -> Samples:
    """Measure A B C, A B C, and so on, after a warm-up; return the values by candidate."""
    if warm_up:
        for each in candidates.values():
            each()
    samples: Samples = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, each in candidates.items():
            samples[name].append(each())
    return samples


def seconds_each(calls: Sequence[Callable[[], Any]], *, waits: bool) -> float:
    """Return the median time of these calls.

    Calls that do not wait, such as reads of cached pages, are measured in CPU time, which does not
    depend on the load of the machine; calls that wait for the disk in wall-clock time.
    """
    clock = perf_counter if waits else thread_time
    times = []
    for call in calls:
        began = clock()
        call()
        times.append(clock() - began)
    return statistics.median(times)


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(some, others, strict=True))


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def machine() -> dict[str, Any]:
    """Describe the machine and the versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
