"""Over loopback: `sessionary serve`, a double and other servers, loaded by wrk alternately."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import load
from benchmarks.measure import Samples, alternate, ratio
from benchmarks.namespaces import fill
from benchmarks.profiles import Profile
from benchmarks.rivals import servers
from benchmarks.rivals.programs import Program, RivalUnavailable, running, send
from benchmarks.rivals.servers import Call, Server
from benchmarks.vendors import notte
from sessionary.settings import Settings
from tests.processes import COMMAND

OURS, DOUBLE, HELLO = "sessionary serve", "sessionary double", "hello, gunicorn gthread 1x4"
FASTAPI, FASTEST_FASTAPI = "fastapi (asyncio, h11)", "fastapi (uvloop, httptools)"
MOTO, JSON_SERVER, EMULATE, PRISM = "moto_server", "json-server", "emulate", "prism"
# Those that keep nothing on a disk, or not before they answer.
DOUBLES = (MOTO, JSON_SERVER, EMULATE, PRISM)
_SECONDS = 1  # wrk takes whole seconds only
_KEY = "sk-notte-bench"


class Turn(NamedTuple):
    """One run of wrk against one server."""

    load: load.Load
    cpu_seconds: float
    other_cpus: float  # CPUs that were busy with anything else


def run(
    profile: Profile,
    folder: Path,
    variants: Sequence[str] = (),
    durability: str = Settings.durability,
) -> dict[str, Any]:
    """Measure get and create per number of connections; `variants` are arguments of `serve`."""
    if not load.is_possible():
        return {"skipped": load.MISSING}
    found: dict[str, Any] = {"durability": durability, "skipped_rivals": {}, "connections": {}}
    with ExitStack() as stack:
        available = []
        for name, server in _servers(profile, folder, variants, durability).items():
            try:
                available.append(stack.enter_context(server))
            except RivalUnavailable as reason:
                found["skipped_rivals"][name] = str(reason)
        for connections in profile.connections:
            for operation in ("get", "create"):
                compared = [each for each in available if operation in each.calls]
                if connections != 8:
                    compared = [each for each in compared if each.name not in (*DOUBLES, DOUBLE)]
                found["connections"][f"{connections} {operation}"] = compare(
                    compared, operation, connections, profile.turns, folder
                )
    return found


def failures(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each server that refused or failed requests."""
    for label, compared in found.get("connections", {}).items():
        for name, each in compared["servers"].items():
            if each["refused"] + each["broken"]:
                yield (
                    f"{label}, {name}: {each['refused']} of {each['requests']} requests were "
                    f"refused, {each['broken']} failed"
                )


def _servers(
    profile: Profile, folder: Path, variants: Sequence[str], durability: str
) -> dict[str, AbstractContextManager[Server]]:
    same = ["--durability", durability] if durability != Settings.durability else []
    found: dict[str, AbstractContextManager[Server]] = {
        OURS: _serve(OURS, folder / "ours", same),
        DOUBLE: _double(),
    }
    for number, each in enumerate(variants):
        name, arguments = f"{OURS} {each}", [*same, *shlex.split(each)]
        found[name] = _serve(name, folder / str(number), arguments)
    found[HELLO] = servers.hello_on_gthread()
    found["hello, our server"] = servers.hello_on_ours(folder, same)
    found[FASTAPI] = servers.fastapi(folder, FASTAPI, "--loop asyncio --http h11", durability)
    found[MOTO] = servers.moto()
    if profile.every_rival:
        options = "--loop uvloop --http httptools"
        found[FASTEST_FASTAPI] = servers.fastapi(folder, FASTEST_FASTAPI, options, durability)
        found["raw sqlite3, bjoern"] = servers.bjoern(folder, "raw sqlite3, bjoern", durability)
        found["raw sqlite3, granian"] = servers.granian(folder, "raw sqlite3, granian", durability)
        found[JSON_SERVER] = servers.json_server(folder)
        found[EMULATE] = servers.emulate()
        found[PRISM] = servers.prism(folder)
    return found


@contextmanager
def _serve(name: str, folder: Path, arguments: Sequence[str]) -> Iterator[Server]:
    """Start the product, strict, on a thousand Notte sessions."""
    folder.mkdir(exist_ok=True)
    path = folder / "served.sqlite3"
    dataset = fill(Settings(db=str(path)), [notte], 1_000)
    command = [COMMAND, "serve", "--port", "{port}", "--db", str(path), *arguments]
    with running(Program(command)) as started:
        headers = notte.headers(dataset.keys[notte.NAME])
        create, get = notte.creation(dataset), notte.reading(notte.id_of(500))
        calls = {"create": [Call(create, headers)], "get": [Call(get, headers)]}
        yield Server(name, *started, calls)


@contextmanager
def _double() -> Iterator[Server]:
    """Start a double, in memory, with its journal."""
    with running(Program([COMMAND, "double", "--port", "{port}"])) as (pid, url):
        create, headers = notte.CREATION, notte.headers(_KEY)
        get = notte.reading(send(url, create, headers)[notte.ID])
        calls = {"create": [Call(create, headers)], "get": [Call(get, headers)]}
        yield Server(DOUBLE, pid, url, calls)


def compare(
    compared: Sequence[Server], operation: str, connections: int, turns: int, folder: Path
) -> dict[str, Any]:
    """Measure these servers alternately; return figures by server, and rows of two servers."""
    seen: dict[str, list[Turn]] = {each.name: [] for each in compared}

    def turn(server: Server) -> float:
        script = load.write_script(folder / "wrk.lua", *zip(*server.calls[operation], strict=True))
        seen[server.name].append(_drive(server, script, connections))
        return seen[server.name][-1].load.per_second

    load_before = os.getloadavg()[0]
    samples = alternate({each.name: partial(turn, each) for each in compared}, turns, warm_up=False)
    summaries = {name: _summary(each) for name, each in seen.items()}
    rows = [_row(*pair, samples, summaries) for pair in _pairs(list(seen))]
    return {"load_before": load_before, "servers": summaries, "rows": rows}


def _pairs(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield ours and theirs: `serve` with all, a double with those that keep nothing."""
    ours = [each for each in names if each.startswith((OURS, DOUBLE))]
    for theirs in (each for each in names if each not in ours):
        yield from ((each, theirs) for each in ours if each != DOUBLE or theirs in DOUBLES)


def _row(
    ours: str, theirs: str, samples: Samples, summaries: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    both = summaries[ours], summaries[theirs]
    failed = sum(each["refused"] + each["broken"] for each in both)
    others = max(each["other_cpus"] for each in both)
    void = f"other processes used {others:.2f} CPUs" if others > load.MAX_OTHER_CPUS else None
    return {
        "ours": ours,
        "theirs": theirs,
        "ratio": ratio(samples[ours], samples[theirs]),
        "void": f"{failed} requests were refused or failed" if failed else void,
    }


def _drive(server: Server, script: Path, connections: int) -> Turn:
    """Run wrk once."""
    others, before = load.OtherCpus(server.pid), load.cpu_seconds(server.pid)
    one = load.drive(server.url, script, connections=connections, seconds=_SECONDS)
    return Turn(one, load.cpu_seconds(server.pid) - before, others.read())


def _summary(turns: Sequence[Turn]) -> dict[str, float]:
    loads = [each.load for each in turns]
    return {
        "per_second": median(each.per_second for each in loads),
        "p50_ms": median(each.p50_us for each in loads) / 1000,
        "p99_ms": median(each.p99_us for each in loads) / 1000,
        "worst_ms": max(each.worst_us for each in loads) / 1000,
        "cpu_us_per_request": median(
            each.cpu_seconds / max(each.load.requests, 1) * 1e6 for each in turns
        ),
        "other_cpus": median(each.other_cpus for each in turns),
        "requests": sum(each.requests for each in loads),
        "refused": sum(each.refused for each in loads),
        "broken": sum(each.broken for each in loads),
    }
