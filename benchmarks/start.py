"""Start and stop of `sessionary serve`, its import, and the memory that it takes."""

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
from benchmarks.namespaces import Place, fill
from benchmarks.profiles import Effort
from benchmarks.rivals.programs import ask, without_settings
from benchmarks.vendors import VENDORS
from sessionary.settings import Settings
from tests.processes import COMMAND

_IMPORTS = {
    "python": "pass",
    "import sessionary": "import sessionary",
    "create_app": "from sessionary import create_app",
}
_FEW = 1_000


def run(effort: Effort, folder: Path) -> dict[str, Any]:
    """Everything that a stopwatch outside can see of a server's life."""
    return {
        **_lives(effort, folder),
        "imports_ms": _imports(effort),
        "memory": _memory(effort, folder),
    }


def _lives(effort: Effort, folder: Path) -> dict[str, Any]:
    """Seconds from the command to the first answer, and from SIGTERM to its end."""
    new = (folder / f"new{number}.sqlite3" for number in itertools.count())
    stops: list[float] = []

    def life(path: Path) -> float:
        with _served(path) as (popen, _, seconds):
            began = time.perf_counter()
            popen.send_signal(signal.SIGTERM)
            popen.wait(30)
            stops.append(time.perf_counter() - began)
        return seconds

    kept = folder / "kept.sqlite3"
    candidates: dict[str, Callable[[], float]] = {
        "new": lambda: life(next(new)),
        "kept": lambda: life(kept),
    }
    samples = alternate(candidates, effort.starts, warm_up=False)
    return {
        "first_answer_on_a_new_file_s": median(samples["new"]),
        "first_answer_on_a_kept_file_s": median(samples["kept"]),
        "stop_s": median(stops),
    }


@contextmanager
def _served(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """A server, its address and how long it took to answer."""
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
    raise RuntimeError(f"sessionary serve ended with {popen.returncode} before it answered")


def _imports(effort: Effort) -> dict[str, float]:
    """Milliseconds, beside those of a Python that does nothing."""

    def once(code: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    candidates = {name: lambda code=code: once(code) for name, code in _IMPORTS.items()}
    samples = alternate(candidates, effort.starts, warm_up=False)
    return {name: median(found) * 1000 for name, found in samples.items()}


def _memory(effort: Effort, folder: Path) -> dict[str, Any]:
    """Of a server's whole tree: idle, after a thousand requests, and after many more."""
    path = folder / "memory.sqlite3"
    place = fill(Settings(db=str(path)), VENDORS, _FEW, held=8)
    with _served(path) as (popen, url, _):
        found: dict[str, Any] = {"idle": load.memory_mib(popen.pid)}
        mixed = _mixed(place)
        for (request, headers), _ in zip(itertools.cycle(mixed), range(_FEW), strict=False):
            ask(url, request, headers)
        found["after"] = {str(_FEW): load.memory_mib(popen.pid)}
        if not load.is_possible():
            return {**found, "skipped": load.MISSING}
        script = load.write_script(folder / "mixed.lua", *zip(*mixed, strict=True))
        done = refused = 0
        while done < effort.requests:
            seen = load.drive(
                url, script, connections=8, seconds=2 if effort.requests > 9_999 else 1
            )
            done, refused = done + seen.requests, refused + seen.refused + seen.broken
        found["after"][str(done)] = load.memory_mib(popen.pid)
    small, large = found["after"].values()
    return {**found, "refused": refused, "growth": large["sum"] / small["sum"]}


def _mixed(place: Place) -> list[tuple[Any, dict[str, str]]]:
    """Every surface: two reads, a creation, and a short list."""
    found = []
    for vendor in VENDORS:
        short = vendor.FIRST_PAGE._replace(path=vendor.FIRST_PAGE.path.replace("100", "10"))
        requests = [
            vendor.reading(vendor.id_of(3)),
            vendor.creation(place),
            vendor.reading(vendor.id_of(500)),
            short,
        ]
        headers = vendor.headers(place.keys[vendor.NAME])
        found += [(each, headers) for each in requests]
    return found
