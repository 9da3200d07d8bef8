"""`sessionary double` as a process: how soon it is ready, what it and its namespaces take, its
stop."""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.measure import median
from benchmarks.profiles import Effort
from benchmarks.rivals.programs import without_settings
from tests.processes import COMMAND


def run(effort: Effort, folder: Path) -> dict[str, Any]:
    """Seconds and MiB: medians of its lives; the namespaces' share is from one of them."""
    lives = [_life(folder / f"ready{number}.json") for number in range(effort.starts)]
    ready, memory, stop = (median(values) for values in zip(*lives, strict=True))
    namespaces = 4 * effort.sizes[0]
    return {
        "ready_s": ready,
        "memory_mib": memory,
        "stop_s": stop,
        "namespaces": namespaces,
        "kib_a_namespace": _each_namespace(folder / "namespaces.json", namespaces),
    }


def _life(ready_file: Path) -> tuple[float, float, float]:
    """From the command to the ready file, its memory once it has answered, its stop."""
    began = time.perf_counter()
    with _doubling(ready_file) as (popen, url):
        ready = time.perf_counter() - began
        _ask(f"{url}/notte/health")
        _ask(f"{url}/_control/v1/clock")
        memory = load.memory_mib(popen.pid)["sum"]
        began = time.perf_counter()
        popen.send_signal(signal.SIGTERM)
        popen.wait(30)
        return ready, memory, time.perf_counter() - began


def _each_namespace(ready_file: Path, count: int) -> float:
    """KiB by which a double grows for each of so many namespaces."""
    with _doubling(ready_file, "--max-namespaces", str(count + 1)) as (popen, url):
        _ask(f"{url}/_control/v1/clock")
        before = load.memory_mib(popen.pid)["sum"]
        for number in range(count):
            _ask(f"{url}/~w{number}/_control/v1/clock")
        grown = load.memory_mib(popen.pid)["sum"] - before
    return grown * 1024 / count


def _ask(url: str) -> None:
    urllib.request.urlopen(url, timeout=30).close()  # noqa: S310


@contextmanager
def _doubling(ready_file: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    with subprocess.Popen(
        [COMMAND, "double", "--port", "0", "--ready-file", str(ready_file), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=without_settings(),
    ) as popen:
        try:
            while not ready_file.exists():
                if popen.poll() is not None:
                    raise RuntimeError(f"sessionary double ended with {popen.returncode}")
                time.sleep(0.001)
            yield popen, json.loads(ready_file.read_text())["url"]
        finally:
            if popen.poll() is None:
                popen.kill()
