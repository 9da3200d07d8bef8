"""What one client waits, and how memory grows, while other participants stand still or ask much."""

import fcntl
import socket
import subprocess
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from benchmarks import load
from benchmarks.namespaces import Dataset, fill
from benchmarks.probe import Probe, Sample, overlapping
from benchmarks.profiles import Profile
from benchmarks.requests import Request
from benchmarks.rivals.programs import Program, running, send, without_settings
from benchmarks.vendors import VENDORS, notte, scale
from sessionary.settings import Settings
from tests.processes import COMMAND

_SESSIONS = 1_000  # of each surface, on a new file
_WATCH_SECONDS = 0.025
_STATE_BYTES = 1_000_000
_TOKEN = "bench-token"
IDLE_PARTS = (
    b"",
    b"P",
    b"POST /session/start HTT",
    b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
)
_HEALTH = Request("GET", "/livez")


class Stall(NamedTuple):
    """A running server, the client that is measured, and what disturbs both."""

    pid: int
    url: str
    requests: list[Request]  # of the client, cycled
    headers: Mapping[str, str]
    disturb: Callable[[], str]  # returns a note


class Served(NamedTuple):
    """A running `serve` on a filled database."""

    pid: int
    url: str
    db: Path
    dataset: Dataset

    def stall(self, disturb: Callable[[], str], *more: Request) -> Stall:
        requests = [_HEALTH, notte.reading(notte.id_of(500)), *more]
        return Stall(self.pid, self.url, requests, notte.headers(self.key), disturb)

    @property
    def key(self) -> str:
        return self.dataset.keys[notte.NAME]


def run(profile: Profile, folder: Path) -> dict[str, Any]:
    """Return for each stall the worst waits and the memory, in milliseconds and MiB."""
    found = {}
    for name, scenario in SCENARIOS.items():
        (folder / name).mkdir()
        with scenario(profile, folder / name) as stall:
            found[name] = _measure(stall, profile.stall_seconds)
    return found


class _Watch:
    """Samples the memory of a server, and for how long the machine had no CPU for it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.peak_mib = 0.0
        self.cpu_waits: list[tuple[float, float, float]] = []  # from, to, seconds of the wait

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        before, at = load.cpu_waits(self._pid), time.monotonic()
        while not self._over.wait(_WATCH_SECONDS):
            self.peak_mib = max(self.peak_mib, load.memory_mib(self._pid)["shared"])
            after, now = load.cpu_waits(self._pid), time.monotonic()
            longest = max((after[id] - before.get(id, after[id]) for id in after), default=0.0)
            self.cpu_waits.append((at, now, longest))
            before, at = after, now

    def without_machine(self, sample: Sample) -> float:
        """Return how long a request waited for the server alone."""
        ended = sample.began + sample.wait
        held_back = sum(
            wait * max(min(ended, to) - max(sample.began, since), 0) / (to - since)
            for since, to, wait in self.cpu_waits
        )
        return max(sample.wait - sample.late - held_back, 0)


def _measure(stall: Stall, quiet_seconds: float) -> dict[str, Any]:
    with ExitStack() as stack:
        probe = Probe(stall.url, stall.requests, stall.headers, every=0.005)
        stack.callback(probe.kill)
        time.sleep(quiet_seconds)
        idle_mib = load.memory_mib(stall.pid)["shared"]
        with _Watch(stall.pid) as watch:
            began = time.monotonic()
            note = stall.disturb()
            ended = time.monotonic()
            samples = probe.stop()
    beside = overlapping(samples, began, ended)
    quiet = [each.wait for each in samples if each.began + each.wait < began]
    return {
        "worst_ms": max(each.wait for each in beside) * 1000,
        "without_machine_ms": max(map(watch.without_machine, beside)) * 1000,
        "quiet_worst_ms": max(quiet, default=0.0) * 1000,
        "unanswered": sum(each.status == 0 for each in beside),
        "idle_mib": idle_mib,
        "peak_mib": watch.peak_mib,
        "note": note,
    }


@contextmanager
def _serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Served]:
    db = folder / "served.sqlite3"
    dataset = fill(Settings(db=str(db)), VENDORS, _SESSIONS)
    command = [COMMAND, "serve", "--port", "{port}", "--db", str(db), *arguments]
    with running(Program(command, variables)) as (pid, url):
        yield Served(pid, url, db, dataset)


@contextmanager
def _double(disturb: Callable[[str], str]) -> Iterator[Stall]:
    with running(Program([COMMAND, "double", "--port", "{port}"])) as (pid, url):
        headers = notte.headers("sk-notte-anyone")
        made = send(url, notte.creation(Dataset("", "", {}, 0, 0, 0)), headers)
        requests = [_HEALTH, notte.reading(made[notte.ID])]
        yield Stall(pid, url, requests, headers, lambda: disturb(url))


@contextmanager
def _foreign_lock(profile: Profile, folder: Path) -> Iterator[Stall]:
    with _serving(folder, "--busy-timeout-seconds", "1") as served, ThreadPoolExecutor() as pool:

        def hold() -> str:
            with served.db.with_name(f"{served.db.name}.lock").open("r+b") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                written = pool.submit(_write, served)
                time.sleep(profile.stall_seconds)
            return f"held for {profile.stall_seconds:g} s; a write got {written.result()}"

        yield served.stall(hold)


def _write(served: Served) -> str:
    began, status = time.monotonic(), 200
    try:
        send(served.url, notte.creation(served.dataset), notte.headers(served.key))
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    return f"{status} after {time.monotonic() - began:.1f} s"


@contextmanager
def _seed(profile: Profile, folder: Path) -> Iterator[Stall]:
    count, file = profile.sizes[0], folder / "seed.toml"
    with _serving(folder) as served:
        file.write_text(seed_of(served.dataset.organization, 0, count))

        def apply() -> str:
            began = time.monotonic()
            command = [COMMAND, "seed", str(file), "--db", str(served.db)]
            subprocess.run(command, check=True, capture_output=True, env=without_settings())
            return f"{count:,} rows in {time.monotonic() - began:.1f} s, the client writes too"

        yield served.stall(apply, notte.creation(served.dataset))


def seed_of(organization: str, number: int, count: int) -> str:
    """Return a seed file with this many sessions; their ids begin with `5eed` and its number."""
    return "".join(
        f'[[notte.sessions]]\nid = "5eed{number:04x}-0000-4000-8000-{row:012x}"\n'
        f'organization = "{organization}"\ncreated_ago = "1m"\n'
        for row in range(count)
    )


@contextmanager
def _idle(profile: Profile, folder: Path) -> Iterator[Stall]:
    with _serving(folder) as served:
        yield served.stall(lambda: _stay_idle(served.url, profile))


def _idle_double(profile: Profile, _: Path) -> AbstractContextManager[Stall]:
    return _double(lambda url: _stay_idle(url, profile))


def _stay_idle(url: str, profile: Profile) -> str:
    count = profile.sizes[0] // 2
    with _connections(url, [IDLE_PARTS[number % len(IDLE_PARTS)] for number in range(count)]):
        time.sleep(profile.stall_seconds)
    return f"{count} connections that send nothing, a byte, half a head or half a body"


@contextmanager
def _connections(url: str, sent: list[bytes]) -> Iterator[None]:
    """Open a connection for each of these, with a small receive buffer."""
    address = urlsplit(url)
    with ExitStack() as stack:
        for each in sent:
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((address.hostname, address.port))
            client.sendall(each)
        yield


@contextmanager
def _unread_pages(profile: Profile, folder: Path) -> Iterator[Stall]:
    sessions, readers = profile.sizes[0] * 3 // 20, profile.sizes[0] // 100
    with _serving(folder) as served:
        headers = scale.headers(served.dataset.keys[scale.NAME])
        body = {"title": "large", "account_id": served.dataset.organization}
        state = {"text": "x" * _STATE_BYTES}
        for _ in range(sessions):
            send(served.url, Request("POST", "/v4/sessions", body | {"state": state}), headers)

        def ask() -> str:
            page = _message(Request("GET", "/v4/sessions?limit=10000"), headers)
            with _connections(served.url, [page] * readers):
                time.sleep(profile.stall_seconds)
            return f"{readers} unread pages of {sessions} MB"

        yield served.stall(ask)


def _message(request: Request, headers: Mapping[str, str]) -> bytes:
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def _delayed(profile: Profile, folder: Path) -> Iterator[Stall]:
    with _serving(folder, "--control", SESSIONARY_CONTROL_TOKEN=_TOKEN) as served:
        headers = notte.headers(served.key)
        yield served.stall(lambda: _delay(served.url, headers, profile))


def _delayed_double(profile: Profile, _: Path) -> AbstractContextManager[Stall]:
    """The calls are in another namespace than the client."""

    def delay(url: str) -> str:
        send(url, Request("POST", "/_control/v1/namespaces", {"name": "delayed"}), {})
        return _delay(f"{url}/~delayed", notte.headers("sk-notte-anyone"), profile)

    return _double(delay)


def _delay(url: str, headers: Mapping[str, str], profile: Profile) -> str:
    count, seconds = profile.sizes[0] // 5, profile.stall_seconds
    fault = {
        "surface": "notte",
        "route": "/sessions",
        "kind": "latency",
        "delay": f"{1000 * seconds:.0f}ms",
    }
    token = {"Authorization": f"Bearer {_TOKEN}"}
    send(url, Request("POST", "/_control/v1/faults", fault), token)
    path = f"{urlsplit(url).path}{notte.FIRST_PAGE.path}"
    call = _message(Request("GET", path), headers)
    with _connections(url, [call] * count):
        time.sleep(seconds)
    return f"{count} calls, each delayed by {seconds:g} s"


SCENARIOS: Mapping[str, Callable[[Profile, Path], AbstractContextManager[Stall]]] = {
    "foreign_lock": _foreign_lock,
    "seed": _seed,
    "idle": _idle,
    "idle_double": _idle_double,
    "unread_pages": _unread_pages,
    "delayed": _delayed,
    "delayed_double": _delayed_double,
}
