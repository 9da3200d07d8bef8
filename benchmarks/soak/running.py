"""The soak from its first request to the last proof."""

import asyncio
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.namespaces import Place, fill
from benchmarks.soak.chaos import Troubles, succeeds
from benchmarks.soak.expected_state import Key, Ledger, Progress
from benchmarks.soak.load_client import Astray
from benchmarks.soak.surface_adapters import KINDS
from benchmarks.soak.workload import Client
from benchmarks.vendors import VENDORS
from sessionary.settings import Settings
from tests.processes import COMMAND, Process, clean_environment, running_process

_BEFORE = 1_000  # sessions of each surface that are there already
_SAMPLES = 360  # at most one a second


class Plan(NamedTuple):
    """How long, how many, and how often; times are seconds."""

    seconds: float
    clients: int
    workers: int
    kill_every: float
    backup_every: float


async def run(plan: Plan, folder: Path) -> dict[str, Any]:
    """Everything that was measured, and how each promise was kept."""
    db, log, ledger = folder / "soak.sqlite3", folder / "log", Ledger()
    place = fill(Settings(db=str(db)), VENDORS, _BEFORE)
    with _serving(db, log, plan.workers) as process:
        troubles = Troubles(process, db, ledger)
        seconds = await _suffer(plan, process.url, place, ledger, troubles)
        measured = _measured(ledger, troubles, seconds)
        await _prove(process.url, plan, place, ledger, ledger.answered, "lost")
        await _stop(process, ledger)
    await succeeds(ledger, "check", "check", "--db", str(db))
    await _restore(troubles, plan, place, folder, ledger)
    _read_log(log, ledger)
    verdicts = {name: each._asdict() for name, each in ledger.verdicts().items()}
    return {"plan": plan._asdict(), **measured, "promises": verdicts}


def _serving(db: Path, log: Path, workers: int) -> AbstractContextManager[Process]:
    """`sessionary serve` as it is started by hand, its log in a file."""
    arguments = ["--db", str(db), "--durability", "full", "--workers", str(workers)]
    serve = [COMMAND, "serve", "--port", "0", *arguments]
    return running_process(["sh", "-c", 'exec "$@" 2>>"$0"', str(log), *serve], clean_environment())


async def _suffer(plan: Plan, url: str, place: Place, ledger: Ledger, troubles: Troubles) -> float:
    """Live under load and trouble for as long as planned; gives how long it was."""
    began, names = time.monotonic(), list(KINDS)
    async with asyncio.TaskGroup() as tasks:
        for number in range(plan.clients):
            client = Client(url, names[number % len(names)], place, ledger)
            tasks.create_task(client.live(troubles.over.is_set))
        tasks.create_task(troubles.kill(plan.kill_every))
        tasks.create_task(troubles.back_up(plan.backup_every))
        tasks.create_task(troubles.watch(max(plan.seconds / _SAMPLES, 1)))
        await asyncio.sleep(plan.seconds)
        troubles.over.set()
    return time.monotonic() - began


async def _prove(
    url: str,
    plan: Plan,
    place: Place,
    ledger: Ledger,
    least: Mapping[Key, Progress],
    promise: str,
) -> None:
    """Read each of these sessions: it has come as far as this, and no further than answered."""
    left = iter(least.items())

    async def read(left: Iterator[tuple[Key, Progress]]) -> None:
        clients = {name: Client(url, name, place, Ledger()) for name in KINDS}
        for key, progress in left:
            try:
                found = await clients[key[0]].progress(key[1])
            except Astray:
                found = None
            ledger.compare(key, found, progress, ledger.answered[key], promise)
        for each in clients.values():
            await each.caller.close()

    await asyncio.gather(*(read(left) for _ in range(plan.clients)))


async def _stop(process: Process, ledger: Ledger) -> None:
    try:
        ended = f"it ended with {await asyncio.to_thread(process.stop)}"
    except subprocess.TimeoutExpired:
        ended = "it did not end"
    if ended != "it ended with 0":
        ledger.breach("stop", ended)


async def _restore(
    troubles: Troubles, plan: Plan, place: Place, folder: Path, ledger: Ledger
) -> None:
    """The last backup in a place of its own, served."""
    db = folder / "restored.sqlite3"
    if not await succeeds(ledger, "restore", "restore", str(troubles.backup), "--db", str(db)):
        return
    with _serving(db, folder / "restored.log", plan.workers) as process:
        await _prove(process.url, plan, place, ledger, troubles.in_backup, "restore")
        await _stop(process, ledger)


def _read_log(log: Path, ledger: Ledger) -> None:
    """Lines of requests begin with a time and a method, others with a time and a level."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            word = line.split(" ", 2)[1:2]
            if word in (["GET"], ["POST"], ["PATCH"], ["DELETE"]) or "SIGKILL" in line:
                continue
            ledger.breach("log", line.rstrip())


def _measured(ledger: Ledger, troubles: Troubles, seconds: float) -> dict[str, Any]:
    return {
        "seconds": seconds,
        **{name: ledger.counts[name] for name in ("requests", "unavailable", "sessions")},
        **{name: ledger.counts[name] for name in ("kills", "cut", "astray")},
        "writes": len(ledger.seconds["write"]),
        "per_second": ledger.counts["requests"] / seconds,
        "waits_ms": {name: _waits(sorted(found)) for name, found in ledger.seconds.items()},
        "backups": troubles.backups,
        "in_last_backup": len(troubles.in_backup),
        "memory_mib": troubles.memory(),
        "database_mib": troubles.samples[-1].database,
        "journal_mib": max(each.journal for each in troubles.samples),
        "samples": [each._asdict() for each in troubles.samples],
    }


def _waits(seconds: list[float]) -> dict[str, float]:
    found = {"p50": seconds[len(seconds) // 2], "p99": seconds[len(seconds) * 99 // 100]}
    return {name: each * 1000 for name, each in {**found, "worst": seconds[-1]}.items()}
