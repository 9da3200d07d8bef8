"""`sessionary double` as a process: time to ready, memory, and time to stop."""

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
from benchmarks.profiles import Profile
from benchmarks.requests import Request
from benchmarks.rivals.programs import send, without_settings
from tests.processes import COMMAND


def run(profile: Profile, folder: Path) -> dict[str, Any]:
    """Return seconds and MiB, medians over several starts; one start for the namespaces."""
    runs = [_measure_once(folder / f"ready{number}.json") for number in range(profile.starts)]
    ready, memory, stop = (median(values) for values in zip(*runs, strict=True))
    namespaces = 4 * profile.sizes[0]
    return {
        "ready_s": ready,
        "memory_mib": memory,
        "stop_s": stop,
        "namespaces": namespaces,
        "kib_a_namespace": _each_namespace(folder / "namespaces.json", namespaces),
    }


def _measure_once(ready_file: Path) -> tuple[float, float, float]:
    """Return the time to the ready file, the memory after two requests, the time to stop."""
    began = time.perf_counter()
    with _doubling(ready_file) as (popen, url):
        ready = time.perf_counter() - began
        _get(f"{url}/notte/health")
        _get(f"{url}/_control/v1/clock")
        memory = load.memory_mib(popen.pid)["sum"]
        began = time.perf_counter()
        popen.send_signal(signal.SIGTERM)
        popen.wait(30)
        return ready, memory, time.perf_counter() - began


def _each_namespace(ready_file: Path, count: int) -> float:
    """Return the KiB by which a double grows per namespace."""
    with _doubling(ready_file, "--max-namespaces", str(count + 2)) as (popen, url):
        namespaces = [
            Request("POST", "/_control/v1/namespaces", {"name": f"w{number}"})
            for number in range(count + 1)
        ]
        send(url, namespaces.pop(), {})
        before = load.memory_mib(popen.pid)["sum"]
        for each in namespaces:
            send(url, each, {})
        grown = load.memory_mib(popen.pid)["sum"] - before
    return grown * 1024 / count


def _get(url: str) -> None:
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
