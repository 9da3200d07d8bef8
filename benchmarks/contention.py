"""Contention: two processes of four threads write to one file as fast as possible.

Run as a program, it is one of the processes: `python -m benchmarks.contention FILE KEY SECONDS`.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.namespaces import Dataset, fill
from benchmarks.profiles import Profile
from benchmarks.requests import UnexpectedResponse, wsgi_call
from benchmarks.vendors import notte
from sessionary import create_app
from sessionary.settings import Settings

PROCESSES, THREADS = 2, 4


def run(profile: Profile, folder: Path) -> dict[str, Any]:
    """Return the waits and errors of the writers, with the default durability."""
    path = folder / "contended.sqlite3"
    dataset = fill(Settings(db=str(path)), [notte], 1_000)
    found = _write(path, dataset.keys[notte.NAME], profile.writing_seconds)
    waits = sorted(wait for each in found for thread in each["waits_us"] for wait in thread)
    counts = [len(thread) for each in found for thread in each["waits_us"]]
    return {
        "processes": PROCESSES,
        "threads": THREADS,
        "seconds": profile.writing_seconds,
        "durability": Settings().durability,
        "errors": [error for each in found for error in each["errors"]],
        "per_second": len(waits) / profile.writing_seconds,
        "p50_ms": waits[len(waits) // 2] / 1000,
        "p99_ms": waits[len(waits) * 99 // 100] / 1000,
        "worst_ms": waits[-1] / 1000,
        "counts": counts,
        "fairness": min(counts) / max(counts),
    }


def _write(path: Path, key: str, seconds: float) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.contention", str(path), key, str(seconds)]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for each in writers:
            assert each.stdout is not None
            each.stdout.readline()  # "ready"
        for each in writers:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return [json.loads(each.communicate()[0]) for each in writers]
    finally:
        for each in writers:
            each.kill()


class _Writers:
    """The threads of one process."""

    def __init__(self, path: str, key: str) -> None:
        app = create_app(Settings(db=path))
        unused = Dataset("", "", {}, 0, 0, 0)
        self._call = wsgi_call(app, notte.creation(unused), notte.headers(key))
        self._call()  # so that what happens once has happened
        self.waits_us: list[list[int]] = []
        self.errors: list[str] = []

    def write(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        threads = [threading.Thread(target=self._write_until, args=(end,)) for _ in range(THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    def _write_until(self, end: float) -> None:
        waits: list[int] = []
        self.waits_us.append(waits)
        while (began := time.perf_counter()) < end:
            try:
                self._call()
            except UnexpectedResponse as error:
                self.errors.append(str(error))
            waits.append(int((time.perf_counter() - began) * 1e6))


if __name__ == "__main__":
    file, secret, seconds = sys.argv[1:]
    writers = _Writers(file, secret)
    print("ready", flush=True)
    sys.stdin.readline()
    writers.write(float(seconds))
    print(json.dumps({"waits_us": writers.waits_us, "errors": writers.errors}))
