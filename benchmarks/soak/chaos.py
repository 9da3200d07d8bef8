"""Kills workers, makes backups, and samples memory and file sizes while the load runs."""

import asyncio
import os
import signal
import statistics
import time
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import load
from benchmarks.soak.expected_state import ExpectedState, Key, Progress
from tests.processes import COMMAND, Process, clean_environment

_MAX_GROWTH = 1.3  # the last quarter over the first
_MIB = 2**20


class Sample(NamedTuple):
    """Sizes at one time, in MiB."""

    seconds: float
    processes: float  # all together, a shared page counted once
    oldest_worker: float  # the worker that is never killed
    database: float
    wal: float


class Chaos:
    """Disturbs the server until `over` is set."""

    def __init__(self, process: Process, db: Path, state: ExpectedState) -> None:
        self._process = process
        self.db = db
        self._state = state
        self._began = time.monotonic()
        self.over = asyncio.Event()
        self.backup = db.with_name("backup.sqlite3")
        self.in_backup: dict[Key, Progress] = {}  # what the last backup must contain
        self.seeds_in_backup: set[int] = set()
        self.backups: list[dict[str, float]] = []
        self.samples: list[Sample] = []

    async def kill(self, every_seconds: float) -> None:
        """Kill the youngest worker now and then; the oldest lives on, to show memory growth."""
        while await self.wait(every_seconds):
            workers = self._process.workers()
            if len(workers) > 1:
                with suppress(ProcessLookupError):
                    os.kill(max(workers, key=_started_at), signal.SIGKILL)
                    self._state.counts["kills"] += 1

    async def back_up(self, every_seconds: float) -> None:
        """Back up to the same file each time, and check it."""
        due = time.monotonic() + every_seconds
        while await self.wait(due - time.monotonic()):
            due = max(due + every_seconds, time.monotonic())
            answered, seeds = dict(self._state.answered), set(self._state.seeds)
            began = time.monotonic()
            arguments = ("backup", str(self.backup), "--force", "--db", str(self.db))
            if await succeeds(self._state, "backup", *arguments):
                took = time.monotonic() - began
                size = self.backup.stat().st_size / _MIB
                self.backups.append({"at": began - self._began, "seconds": took, "mib": size})
                self.in_backup, self.seeds_in_backup = answered, seeds
                await succeeds(self._state, "backup", "check", "--db", str(self.backup))

    async def watch(self, every_seconds: float) -> None:
        """Take samples."""
        while await self.wait(every_seconds):
            oldest_worker = min(self._process.workers(), key=_started_at, default=0)
            sizes = load.sizes_mib(oldest_worker)
            sample = Sample(
                time.monotonic() - self._began,
                load.memory_mib(self._process.popen.pid)["shared"],
                sizes[0] if sizes else 0.0,
                _size(self.db),
                _size(self.db.with_name(f"{self.db.name}-wal")),
            )
            self.samples.append(sample)

    async def wait(self, seconds: float) -> bool:
        """Wait; return whether the load still runs."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), max(seconds, 0))
        return not self.over.is_set()

    def memory(self) -> dict[str, Any]:
        """Return the medians of the first and the last quarter, and report growth."""
        count = max(len(self.samples) // 4, 1)
        found: dict[str, Any] = {}
        for name in ("processes", "oldest_worker"):
            sizes = [getattr(each, name) for each in self.samples]
            first, last = statistics.median(sizes[:count]), statistics.median(sizes[-count:])
            found[name] = {"first": first, "last": last, "max": max(sizes), "ratio": last / first}
            if last / first > _MAX_GROWTH:
                self._state.report("memory", f"{name}: {first:.1f} MiB became {last:.1f} MiB")
        return found


async def succeeds(state: ExpectedState, promise: str, *arguments: str) -> bool:
    """Run a command of ours; report it if it fails."""
    running = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=clean_environment()
    )
    output = b"".join(await running.communicate())
    if running.returncode:
        state.report(promise, f"{' '.join(arguments)}: {output.decode()}")
    return not running.returncode


def _started_at(pid: int) -> int:
    """Return the start of a process, in ticks; 0 if it has ended."""
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[19])
    return 0


def _size(file: Path) -> float:
    return file.stat().st_size / _MIB if file.exists() else 0.0
