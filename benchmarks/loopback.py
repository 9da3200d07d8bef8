"""Over loopback: `sessionary serve` and other servers, loaded by wrk alternately."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks import load
from benchmarks.measure import alternate, ratio
from benchmarks.namespaces import fill
from benchmarks.profiles import Profile
from benchmarks.rivals import servers
from benchmarks.rivals.programs import Program, RivalUnavailable, running
from benchmarks.rivals.servers import Server
from benchmarks.vendors import notte
from sessionary.settings import Settings
from tests.processes import COMMAND

OURS, HELLO, FASTAPI, MOTO = "sessionary", "hello, gunicorn gthread 1x4", "fastapi", "moto_server"
FASTEST_FASTAPI = "fastapi (uvloop, httptools)"
_SECONDS = 1  # wrk takes whole seconds only


class Turn(NamedTuple):
    """One run of wrk against one server."""

    load: load.Load
    cpu_seconds: float


def run(
    profile: Profile,
    folder: Path,
    variants: Sequence[str] = (),
    durability: str = Settings.durability,
) -> dict[str, Any]:
    """Measure get and create per number of connections; `variants` are arguments of `serve`."""
    if not load.is_possible():
        return {"skipped": load.MISSING}
    found: dict[str, Any] = {
        "durability": durability,
        "skipped_rivals": {},
        "connections": {},
    }
    with ExitStack() as stack:
        available = []
        for name, server in _servers(profile, folder, variants, durability).items():
            try:
                available.append(stack.enter_context(server))
            except RivalUnavailable as reason:
                found["skipped_rivals"][name] = str(reason)
        for connections in profile.connections:
            for operation in ("get", "create"):
                compared = [each for each in available if operation in each.requests]
                if connections != 8:
                    compared = [each for each in compared if _is_compared_everywhere(each)]
                label = f"{connections} {operation}"
                found["connections"][label] = _compare(
                    compared, operation, connections, profile.turns, folder
                )
    return found


def _servers(
    profile: Profile, folder: Path, variants: Sequence[str], durability: str
) -> dict[str, AbstractContextManager[Server]]:
    same = ["--durability", durability] if durability != Settings.durability else []
    found: dict[str, AbstractContextManager[Server]] = {OURS: _ours(OURS, folder / "ours", same)}
    for number, each in enumerate(variants):
        arguments = [*same, *shlex.split(each)]
        found[each] = _ours(f"{OURS} {each}", folder / str(number), arguments)
    found[HELLO] = servers.hello_on_gthread()
    found[FASTAPI] = servers.fastapi(folder, FASTAPI, "--loop asyncio --http h11", durability)
    found[MOTO] = servers.moto()
    if profile.every_rival:
        found["hello, our server"] = servers.hello_on_ours(folder, same)
        options = "--loop uvloop --http httptools"
        found[FASTEST_FASTAPI] = servers.fastapi(folder, FASTEST_FASTAPI, options, durability)
        found["json-server"] = servers.json_server(folder)
    return found


def _is_compared_everywhere(server: Server) -> bool:
    return server.name not in (MOTO, FASTEST_FASTAPI, "json-server")


@contextmanager
def _ours(name: str, folder: Path, arguments: Sequence[str]) -> Iterator[Server]:
    """Start the product, strict, on a thousand Notte sessions."""
    folder.mkdir(exist_ok=True)
    path = folder / "served.sqlite3"
    dataset = fill(Settings(db=str(path)), [notte], 1_000)
    command = [COMMAND, "serve", "--port", "{port}", "--db", str(path), *arguments]
    with running(Program(command)) as (pid, url):
        requests = {"create": notte.creation(dataset), "get": notte.reading(notte.id_of(500))}
        headers = notte.headers(dataset.keys[notte.NAME])
        yield Server(name, pid, url, requests, dict.fromkeys(requests, headers))


def _compare(
    compared: Sequence[Server], operation: str, connections: int, turns: int, folder: Path
) -> dict[str, Any]:
    seen: dict[str, list[Turn]] = {each.name: [] for each in compared}

    def turn(server: Server) -> float:
        script = load.write_script(
            folder / "wrk.lua", [server.requests[operation]], [server.headers[operation]]
        )
        before = load.cpu_seconds(server.pid)
        one = load.drive(server.url, script, connections=connections, seconds=_SECONDS)
        seen[server.name].append(Turn(one, load.cpu_seconds(server.pid) - before))
        return one.per_second

    candidates = {each.name: partial(turn, each) for each in compared}
    samples = alternate(candidates, turns, warm_up=False)
    return {
        name: {**_summary(found), "ours_over_it": ratio(samples[OURS], samples[name])}
        for name, found in seen.items()
    }


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
        "refused": sum(each.refused for each in loads),
        "broken": sum(each.broken for each in loads),
    }
