"""Start, stop, import time and memory of `sessionary serve`."""

import itertools
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.measure import alternate, median
from benchmarks.namespaces import Dataset, fill
from benchmarks.profiles import Profile
from benchmarks.rivals.programs import send, without_settings
from benchmarks.vendors import VENDORS
from sessionary.settings import Settings
from tests.processes import COMMAND

_IMPORTS = {
    "python": "pass",
    "import sessionary": "import sessionary",
    "create_app": "from sessionary import create_app",
}
_FEW = 1_000


def run(profile: Profile, folder: Path) -> dict[str, Any]:
    """Measure start, stop, imports and memory from outside."""
    return {
        **_start_and_stop(profile, folder),
        "imports_ms": _imports(profile),
        "memory": _memory(profile, folder),
    }


def _start_and_stop(profile: Profile, folder: Path) -> dict[str, Any]:
    """Return seconds from the command to the first response, and from SIGTERM to the exit."""
    new = (folder / f"new{number}.sqlite3" for number in itertools.count())
    stops: list[float] = []

    def run_once(path: Path) -> float:
        with _served(path) as (popen, _, seconds):
            began = time.perf_counter()
            popen.send_signal(signal.SIGTERM)
            popen.wait(30)
            stops.append(time.perf_counter() - began)
        return seconds

    kept = folder / "kept.sqlite3"
    candidates: dict[str, Callable[[], float]] = {
        "new": lambda: run_once(next(new)),
        "kept": lambda: run_once(kept),
    }
    samples = alternate(candidates, profile.starts, warm_up=False)
    return {
        "first_answer_on_a_new_file_s": median(samples["new"]),
        "first_answer_on_a_kept_file_s": median(samples["kept"]),
        "stop_s": median(stops),
    }


@contextmanager
def _served(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """Run a server; gives its URL and the seconds until it answered."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    with subprocess.Popen(
        [COMMAND, "serve", "--port", str(port), "--db", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=without_settings(),
    ) as popen:
        try:
            _await(f"{url}/notte/health", popen)
            yield popen, url, time.perf_counter() - began
        finally:
            if popen.poll() is None:
                popen.terminate()


def _await(url: str, popen: "subprocess.Popen[bytes]") -> None:
    while popen.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=30).close()  # noqa: S310
        except OSError:
            time.sleep(0.002)
        else:
            return
    raise RuntimeError(f"sessionary serve exited with {popen.returncode} before it answered")


def _imports(profile: Profile) -> dict[str, float]:
    """Return milliseconds of imports, and of a Python that does nothing."""

    def once(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    candidates = {name: lambda code=code: once(code) for name, code in _IMPORTS.items()}
    samples = alternate(candidates, profile.starts, warm_up=False)
    return {name: median(found) * 1000 for name, found in samples.items()}


def _memory(profile: Profile, folder: Path) -> dict[str, Any]:
    """Return the memory of the process tree: idle, after 1,000 requests, and after many."""
    path = folder / "memory.sqlite3"
    dataset = fill(Settings(db=str(path)), VENDORS, _FEW, open_count=8)
    with _served(path) as (popen, url, _):
        found: dict[str, Any] = {"idle": load.memory_mib(popen.pid)}
        mixed = _mixed(dataset)
        for (request, headers), _ in zip(itertools.cycle(mixed), range(_FEW), strict=False):
            send(url, request, headers)
        found["after"] = {str(_FEW): load.memory_mib(popen.pid)}
        if not load.is_possible():
            return {**found, "skipped": load.MISSING}
        script = load.write_script(folder / "mixed.lua", *zip(*mixed, strict=True))
        done = refused = 0
        while done < profile.requests:
            seen = load.drive(
                url, script, connections=8, seconds=2 if profile.requests > 9_999 else 1
            )
            done, refused = done + seen.requests, refused + seen.refused + seen.broken
        found["after"][str(done)] = load.memory_mib(popen.pid)
    small, large = found["after"].values()
    return {**found, "refused": refused, "growth": large["sum"] / small["sum"]}


def _mixed(dataset: Dataset) -> list[tuple[Any, dict[str, str]]]:
    """Return requests for every surface: two reads, a creation, and a short list."""
    found = []
    for vendor in VENDORS:
        short = vendor.FIRST_PAGE._replace(path=vendor.FIRST_PAGE.path.replace("100", "10"))
        requests = [
            vendor.reading(vendor.id_of(3)),
            vendor.creation(dataset),
            vendor.reading(vendor.id_of(500)),
            short,
        ]
        headers = vendor.headers(dataset.keys[vendor.NAME])
        found += [(each, headers) for each in requests]
    return found
