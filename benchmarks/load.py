"""Load from wrk, and the CPU time and memory that the processes of a server use."""

import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.requests import Request

MISSING = (
    "wrk is not installed, so nothing was measured over loopback: `apt-get install wrk` (Debian)."
)
MAX_OTHER_CPUS = 0.1  # more than that voids a measurement in wall-clock time
_TICKS = os.sysconf("SC_CLK_TCK")
_SCRIPT = """
local requests, next = {{}}, 0
init = function()
  requests = {{
{requests}
  }}
end
request = function()
  next = next % #requests + 1
  return requests[next]
end
done = function(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('RESULT {{"requests": %d, "microseconds": %d, "refused": %d,'
    .. ' "broken": %d, "p50_us": %d, "p99_us": %d, "worst_us": %d}}\\n',
    summary.requests, summary.duration, errors.status, broken,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""


class Load(NamedTuple):
    """The result of wrk."""

    requests: int
    microseconds: int
    refused: int  # answered with 400 or more
    broken: int  # not answered
    p50_us: int
    p99_us: int
    worst_us: int

    @property
    def per_second(self) -> float:
        return self.requests / self.microseconds * 1e6


def is_possible() -> bool:
    return shutil.which("wrk") is not None


def write_script(
    path: Path, requests: Iterable[Request], headers: Iterable[Mapping[str, str]]
) -> Path:
    """Write a script that sends these requests one after the other, each with its headers."""
    lines = (_call(each, own) for each, own in zip(requests, headers, strict=True))
    path.write_text(_SCRIPT.format(requests="\n".join(lines)))
    return path


def _call(request: Request, headers: Mapping[str, str]) -> str:
    content = request.content()
    own = dict(headers)
    if content is not None:
        own.setdefault("Content-Type", "application/json")
    table = ", ".join(f"[{json.dumps(name)}] = {json.dumps(text)}" for name, text in own.items())
    body = "nil" if content is None else json.dumps(content.decode())
    return f"    wrk.format({request.method!r}, {request.path!r}, {{{table}}}, {body}),"


def drive(url: str, script: Path, *, connections: int, seconds: int) -> Load:
    """Send requests as fast as they are answered, on this many open connections."""
    ended = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in ended.stdout.splitlines() if line.startswith("RESULT "))
    return Load(**json.loads(line.removeprefix("RESULT ")))


def tree(pid: int) -> list[int]:
    """Return a process and its descendants."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):  # the thread has ended
                found += map(int, task.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its descendants."""
    used = 0
    for each in tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / _TICKS


class OtherCpus:
    """How many CPUs are busy with anything but this process, what it has run, and a server."""

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._began, self._before = time.monotonic(), self._used()

    def read(self) -> float:
        return max(self._used() - self._before, 0) / (time.monotonic() - self._began)

    def _used(self) -> float:
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        own = sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))
        server = 0 if self._pid is None else cpu_seconds(self._pid)
        return _machine_cpu_seconds() - own - server


def _machine_cpu_seconds() -> float:
    """Return the time in which a CPU of the machine was busy, all of them together."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    return (sum(map(int, fields)) - int(fields[3]) - int(fields[4])) / _TICKS  # idle, iowait


def cpu_waits(pid: int) -> dict[int, float]:
    """Return the seconds that each thread of a process tree was ready but had no CPU, by id."""
    found = {}
    for each in tree(pid):
        for file in Path(f"/proc/{each}/task").glob("*/schedstat"):
            with suppress(OSError):  # the thread has ended
                found[int(file.parent.name)] = int(file.read_text().split()[1]) / 1e9
    return found


def memory_mib(pid: int) -> dict[str, float]:
    """Return the resident memory of a process tree; `shared` counts a shared page once."""
    sizes = [found for each in tree(pid) if (found := sizes_mib(each))]
    rss, pss = zip(*sizes, strict=True)
    return {"largest": max(rss), "sum": sum(rss), "shared": sum(pss)}


def sizes_mib(pid: int) -> tuple[float, float] | None:
    """Return the resident and the proportional size of a process; None if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return sizes["Rss"], sizes["Pss"]
