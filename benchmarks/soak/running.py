"""Runs the soak test: load, then verification, then restore."""

import asyncio
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.namespaces import Dataset, fill
from benchmarks.probe import Probe, Sample, within
from benchmarks.requests import Request
from benchmarks.soak.chaos import Chaos, succeeds
from benchmarks.soak.expected_state import ExpectedState, Key, Progress
from benchmarks.soak.load_client import ClientLost
from benchmarks.soak.participants import Participants, check_seeds
from benchmarks.soak.surface_adapters import ADAPTERS
from benchmarks.soak.workload import SessionClient
from benchmarks.vendors import VENDORS
from sessionary.settings import Settings
from tests.processes import COMMAND, Process, clean_environment, running_process

_INITIAL_SESSIONS = 1_000  # of each surface
_SAMPLES = 360  # at most one a second
_HEALTH, _HEALTH_SECONDS = Request("GET", "/livez"), 0.05
_ALLOWED = ("SIGKILL", "another program holds", "database available again")  # in a log line


class Plan(NamedTuple):
    """Duration, sizes and intervals; times in seconds."""

    seconds: float
    clients: int
    workers: int
    kill_every: float
    backup_every: float
    lock_every: float
    lock_seconds: float
    seed_every: float
    seed_rows: int
    idle: int
    never_reading: int
    health_ms: float


async def run(plan: Plan, folder: Path) -> dict[str, Any]:
    """Return all measurements and the violations of each promise."""
    db, log, state = folder / "soak.sqlite3", folder / "log", ExpectedState()
    dataset = fill(Settings(db=str(db)), VENDORS, _INITIAL_SESSIONS)
    with _serving(db, log, plan.workers) as process:
        chaos = Chaos(process, db, state)
        probe = Probe(process.url, [_HEALTH], {}, _HEALTH_SECONDS)
        try:
            seconds = await _run_load(plan, process.url, dataset, state, chaos)
            checks = await asyncio.to_thread(probe.stop)
        finally:
            probe.kill()
        measured = _measurements(state, chaos, seconds) | _health(checks, plan, state)
        await _verify(process.url, plan, dataset, state, state.answered, "lost")
        await _stop(process, state)
    await succeeds(state, "check", "check", "--db", str(db))
    check_seeds(db, state.seeds, plan.seed_rows, state)
    await _restore(chaos, plan, dataset, folder, state)
    read_log(log, state)
    violations = {name: each._asdict() for name, each in state.violations().items()}
    return {"plan": plan._asdict(), **measured, "promises": violations}


def _serving(db: Path, log: Path, workers: int) -> AbstractContextManager[Process]:
    """Start `sessionary serve` with its log in a file."""
    arguments = ["--db", str(db), "--durability", "full", "--workers", str(workers)]
    serve = [COMMAND, "serve", "--port", "0", *arguments]
    return running_process(["sh", "-c", 'exec "$@" 2>>"$0"', str(log), *serve], clean_environment())


async def _run_load(
    plan: Plan, url: str, dataset: Dataset, state: ExpectedState, chaos: Chaos
) -> float:
    """Run the load and the disturbances as long as planned; return the seconds."""
    began, names = time.monotonic(), list(ADAPTERS)
    beside = Participants(url, chaos.db, dataset, state, chaos)
    async with asyncio.TaskGroup() as tasks:
        for number in range(plan.clients):
            client = SessionClient(url, names[number % len(names)], dataset, state)
            tasks.create_task(client.run(chaos.over.is_set))
        tasks.create_task(chaos.kill(plan.kill_every))
        tasks.create_task(chaos.back_up(plan.backup_every))
        tasks.create_task(chaos.watch(max(plan.seconds / _SAMPLES, 1)))
        tasks.create_task(beside.hold_lock(plan.lock_every, plan.lock_seconds))
        tasks.create_task(beside.apply_seeds(plan.seed_every, plan.seed_rows))
        idle = [beside.stay_idle(number) for number in range(plan.idle)]
        never_reading = [beside.never_read() for _ in range(plan.never_reading)]
        standing = [tasks.create_task(each) for each in (*idle, *never_reading)]
        await asyncio.sleep(plan.seconds)
        chaos.over.set()
        for each in standing:
            each.cancel()
    return time.monotonic() - began


async def _verify(
    url: str,
    plan: Plan,
    dataset: Dataset,
    state: ExpectedState,
    least: Mapping[Key, Progress],
    promise: str,
) -> None:
    """Read each session: at least this far, and not further than confirmed."""
    left = iter(least.items())

    async def read(left: Iterator[tuple[Key, Progress]]) -> None:
        clients = {name: SessionClient(url, name, dataset, ExpectedState()) for name in ADAPTERS}
        for key, progress in left:
            try:
                found = await clients[key[0]].progress(key[1])
            except ClientLost:
                found = None
            state.compare(key, found, progress, state.answered[key], promise)
        for each in clients.values():
            await each.http.close()

    await asyncio.gather(*(read(left) for _ in range(plan.clients)))


async def _stop(process: Process, state: ExpectedState) -> None:
    try:
        ended = f"exit code {await asyncio.to_thread(process.stop)}"
    except subprocess.TimeoutExpired:
        ended = "no exit"
    if ended != "exit code 0":
        state.report("stop", ended)


async def _restore(
    chaos: Chaos, plan: Plan, dataset: Dataset, folder: Path, state: ExpectedState
) -> None:
    """Restore the last backup, serve it and verify it."""
    db = folder / "restored.sqlite3"
    if not await succeeds(state, "restore", "restore", str(chaos.backup), "--db", str(db)):
        return
    with _serving(db, folder / "restored.log", plan.workers) as process:
        await _verify(process.url, plan, dataset, state, chaos.in_backup, "restore")
        await _stop(process, state)
    check_seeds(db, chaos.seeds_in_backup, plan.seed_rows, state, more=True)


def read_log(log: Path, state: ExpectedState) -> None:
    """Report unexpected lines: a request has a method after its time, other lines a level."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            word = line.split(" ", 2)[1:2]
            if word in (["GET"], ["POST"], ["PATCH"], ["DELETE"]) or any(map(line.count, _ALLOWED)):
                continue
            state.report("timeout" if "WORKER TIMEOUT" in line else "log", line.rstrip())


def _measurements(state: ExpectedState, chaos: Chaos, seconds: float) -> dict[str, Any]:
    return {
        "seconds": seconds,
        **{name: state.counts[name] for name in ("requests", "unavailable", "sessions")},
        **{name: state.counts[name] for name in ("kills", "lost_connections", "client_lost")},
        **{name: state.counts[name] for name in ("foreign_locks", "refused_seeds", "standing")},
        "seeds": len(state.seeds),
        "writes": len(state.seconds["write"]),
        "per_second": state.counts["requests"] / seconds,
        "waits_ms": {name: _waits(sorted(found)) for name, found in state.seconds.items()},
        "backups": chaos.backups,
        "in_last_backup": len(chaos.in_backup),
        "memory_mib": chaos.memory(),
        "database_mib": chaos.samples[-1].database,
        "wal_mib": max(each.wal for each in chaos.samples),
        "samples": [each._asdict() for each in chaos.samples],
    }


def _health(checks: list[Sample], plan: Plan, state: ExpectedState) -> dict[str, Any]:
    """Report too many slow health checks."""
    in_time, count = within(checks, plan.health_ms / 1000, _HEALTH_SECONDS)
    if in_time < 0.999 * count or not count:
        state.report("health", f"{in_time:,} of {count:,} within {plan.health_ms:g} ms")
    waits = _waits(sorted(each.wait for each in checks))
    return {"health": {"in_time": in_time, "count": count, "waits_ms": waits}}


def _waits(seconds: list[float]) -> dict[str, float]:
    found = {"p50": seconds[len(seconds) // 2], "p99": seconds[len(seconds) * 99 // 100]}
    return {name: each * 1000 for name, each in {**found, "worst": seconds[-1]}.items()}
