"""Participants that hold a lock, apply seeds, or stand still, while the clients work."""

import asyncio
import fcntl
import random
import socket
import sqlite3
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.namespaces import Dataset
from benchmarks.requests import Request
from benchmarks.soak.chaos import Chaos
from benchmarks.soak.connection import message
from benchmarks.soak.expected_state import ExpectedState
from benchmarks.stalls import IDLE_PARTS, seed_of
from benchmarks.vendors import galtea
from tests.processes import COMMAND, clean_environment

_LARGE_PAGE = Request("GET", f"{galtea.FIRST_PAGE.path.partition('?')[0]}?limit=10000")
_UNREAD_SECONDS = 20, 90  # before a client that never reads leaves: the server cuts it at 60
_RETRY_SECONDS = 0.5


class Participants:
    """What disturbs the server from outside, until it is cancelled or the load is over."""

    def __init__(
        self, url: str, db: Path, dataset: Dataset, state: ExpectedState, chaos: Chaos
    ) -> None:
        address = urlsplit(url)
        self._address = (address.hostname, address.port)
        self._db = db
        self._dataset = dataset
        self._state = state
        self._chaos = chaos

    async def hold_lock(self, every_seconds: float, seconds: float) -> None:
        """Hold the write lock of the database now and then, as another program would."""
        with self._db.with_name(f"{self._db.name}.lock").open("r+b") as lock:
            while await self._chaos.wait(every_seconds - seconds):
                await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
                self._state.counts["foreign_locks"] += 1
                await self._chaos.wait(seconds)
                fcntl.flock(lock, fcntl.LOCK_UN)

    async def apply_seeds(self, every_seconds: float, rows: int) -> None:
        """Apply a new seed now and then. One that finds the lock taken is refused as a whole."""
        file, number = self._db.with_name("seed.toml"), 0
        while await self._chaos.wait(every_seconds):
            number += 1
            file.write_text(seed_of(self._dataset.organization, number, rows), encoding="utf-8")
            arguments = ("seed", str(file), "--db", str(self._db))
            running = await asyncio.create_subprocess_exec(
                COMMAND,
                *arguments,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env=clean_environment(),
            )
            _, errors = await running.communicate()
            if not running.returncode:
                self._state.seeds.add(number)
            elif b"lock" in errors and errors.count(b"\n") == 1:
                self._state.counts["refused_seeds"] += 1
            else:
                self._state.report("seed", errors.decode())

    async def stay_idle(self, number: int) -> None:
        """Send nothing, or a part of a request; connect again when the server has had enough."""
        loop = asyncio.get_running_loop()
        while True:
            with suppress(OSError), socket.socket() as client:
                await self._connect(client, IDLE_PARTS[number % len(IDLE_PARTS)])
                while await loop.sock_recv(client, 4096):
                    pass
            await asyncio.sleep(_RETRY_SECONDS)

    async def never_read(self) -> None:
        """Ask for a large page and read nothing of it."""
        page = message(_LARGE_PAGE, galtea.headers(self._dataset.keys[galtea.NAME]))
        while True:
            with suppress(OSError), socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                await self._connect(client, page)
                await asyncio.sleep(random.uniform(*_UNREAD_SECONDS))
            await asyncio.sleep(_RETRY_SECONDS)

    async def _connect(self, client: socket.socket, sent: bytes) -> None:
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, self._address)
        await loop.sock_sendall(client, sent)
        self._state.counts["standing"] += 1


def check_seeds(
    db: Path, applied: Collection[int], rows: int, state: ExpectedState, *, more: bool = False
) -> None:
    """Report seeds that are not there as a whole; with `more`, later ones may be there, too."""
    with closing(sqlite3.connect(db)) as connection:
        # Of 160,000 random ids some begin like those of seeds.
        seeded = "id LIKE '5eed____-0000-4000-8000-%'"
        query = f"SELECT substr(id, 5, 4) FROM notte_sessions WHERE {seeded}"  # noqa: S608
        found = Counter(int(number, 16) for (number,) in connection.execute(query))
    for number in {*applied, *found}:
        is_expected = number in applied or more
        if found[number] != (rows if is_expected else 0):
            state.report("seed", f"{db.name}: seed {number} has {found[number]} of {rows} rows")
