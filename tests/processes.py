"""The product as a user starts it: a process, on a port of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

COMMAND = str(Path(sys.executable).with_name("sessionary"))
PATIENCE = 30
# Root may write whatever the modes say, unless it gives that up.
OBEDIENT = (
    () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
)


@dataclass
class Process:
    """A running `sessionary serve` or `sessionary double`."""

    popen: subprocess.Popen[str]
    url: str

    def connect(self) -> HTTPConnection:
        return HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """One request on a connection of its own: the status and the parsed body."""
        connection = self.connect()
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        pid = self.popen.pid
        return [
            int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def lines(self) -> list[str]:
        """What it said on its standard output after it began to listen; waits for its end."""
        assert self.popen.stdout is not None
        return self.popen.stdout.read().splitlines()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE)


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[Process]:
    """`sessionary serve` on a free port, from when it listens until it is killed."""
    command = [COMMAND, "serve", "--port", "0", *arguments]
    with started(command, surroundings(**variables)) as process:
        yield process


@contextmanager
def doubling(*arguments: str, **variables: str) -> Iterator[Process]:
    """`sessionary double` on a free port, from when it listens until it is killed."""
    command = [COMMAND, "double", "--port", "0", *arguments]
    with started(command, surroundings(**variables)) as process:
        yield process


def surroundings(**variables: str) -> dict[str, str]:
    """An environment that tells Sessionary nothing but these variables."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SESSIONARY_")}
    return kept | variables | {"PYTHONUNBUFFERED": "1"}


@contextmanager
def started(
    command: list[str], environ: dict[str, str], log: IO[str] | int = subprocess.DEVNULL
) -> Iterator[Process]:
    """A server that is started by this command; at the end all its processes are killed."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env=environ,
        process_group=0,
    ) as popen:
        try:
            assert popen.stdout is not None
            first = popen.stdout.readline()
            assert "listens on" in first, first
            yield Process(popen, first.split("listens on ")[1].split(",")[0])
        finally:
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)
