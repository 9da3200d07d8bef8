"""What befalls the server: its workers are killed, its file is copied, and it is watched."""

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
from benchmarks.soak.expected_state import Key, Ledger, Progress
from tests.processes import COMMAND, Process, clean_environment

_FLAT = 1.3  # the last quarter over the first
_MIB = 2**20


class Sample(NamedTuple):
    """What a server is made of at one time, in MiB."""

    seconds: float
    processes: float  # all of them, a shared page counted once
    eldest: float  # the worker that is never killed
    database: float
    journal: float


class Troubles:
    """All that comes between the clients and their answers."""

    def __init__(self, process: Process, db: Path, ledger: Ledger) -> None:
        self._process = process
        self._db = db
        self._ledger = ledger
        self._began = time.monotonic()
        self.over = asyncio.Event()
        self.backup = db.with_name("backup.sqlite3")
        self.in_backup: dict[Key, Progress] = {}  # at the least
        self.backups: list[dict[str, float]] = []
        self.samples: list[Sample] = []

    async def kill(self, every_seconds: float) -> None:
        """The younger worker dies: the eldest lives all the time, so that its memory tells."""
        while await self._waited(every_seconds):
            workers = self._process.workers()
            if len(workers) > 1:
                with suppress(ProcessLookupError):
                    os.kill(max(workers, key=_born), signal.SIGKILL)
                    self._ledger.counts["kills"] += 1

    async def back_up(self, every_seconds: float) -> None:
        """The same file each time, so that the one before is only replaced by a sound one."""
        due = time.monotonic() + every_seconds
        while await self._waited(due - time.monotonic()):
            due = max(due + every_seconds, time.monotonic())
            answered, began = dict(self._ledger.answered), time.monotonic()
            arguments = ("backup", str(self.backup), "--force", "--db", str(self._db))
            if await succeeds(self._ledger, "backup", *arguments):
                took = time.monotonic() - began
                size = self.backup.stat().st_size / _MIB
                self.backups.append({"at": began - self._began, "seconds": took, "mib": size})
                self.in_backup = answered
                await succeeds(self._ledger, "backup", "check", "--db", str(self.backup))

    async def watch(self, every_seconds: float) -> None:
        """Take samples."""
        while await self._waited(every_seconds):
            eldest = min(self._process.workers(), key=_born, default=0)
            sizes = load.sizes_mib(eldest)
            sample = Sample(
                time.monotonic() - self._began,
                load.memory_mib(self._process.popen.pid)["shared"],
                sizes[0] if sizes else 0.0,
                _size(self._db),
                _size(self._db.with_name(f"{self._db.name}-wal")),
            )
            self.samples.append(sample)

    async def _waited(self, seconds: float) -> bool:
        """Whether it goes on after so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), max(seconds, 0))
        return not self.over.is_set()

    def memory(self) -> dict[str, Any]:
        """The medians of the first and the last quarter, which are about the same."""
        count = max(len(self.samples) // 4, 1)
        found: dict[str, Any] = {}
        for name in ("processes", "eldest"):
            sizes = [getattr(each, name) for each in self.samples]
            first, last = statistics.median(sizes[:count]), statistics.median(sizes[-count:])
            found[name] = {"first": first, "last": last, "most": max(sizes), "ratio": last / first}
            if last / first > _FLAT:
                self._ledger.breach("memory", f"{name}: {first:.1f} MiB became {last:.1f} MiB")
        return found


async def succeeds(ledger: Ledger, promise: str, *arguments: str) -> bool:
    """Run the command, whose success was promised."""
    running = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=clean_environment()
    )
    told = b"".join(await running.communicate())
    if running.returncode:
        ledger.breach(promise, f"{' '.join(arguments)}: {told.decode()}")
    return not running.returncode


def _born(pid: int) -> int:
    """When a process was started, in ticks; 0 if it has ended."""
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[19])
    return 0


def _size(file: Path) -> float:
    return file.stat().st_size / _MIB if file.exists() else 0.0
