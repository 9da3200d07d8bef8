"""Start `sessionary` as a user does: as a process on a free port."""

import json
import os
import signal
import socket
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
TIMEOUT_SECONDS = 30
# Root ignores file modes unless it drops these capabilities.
WITHOUT_ROOT_ACCESS = (
    () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
)


@dataclass
class Process:
    """A running `sessionary serve` or `sessionary double`."""

    popen: subprocess.Popen[str]
    url: str

    def connect(self) -> HTTPConnection:
        return HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request on a new connection; return the status and the parsed body."""
        connection = self.connect()
        content = None if body is None else json.dumps(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """Return the process ids of the workers."""
        pid = self.popen.pid
        return [
            int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def output_lines(self) -> list[str]:
        """Wait for the end; return what was printed after the line that says the address."""
        assert self.popen.stdout is not None
        return self.popen.stdout.read().splitlines()

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(TIMEOUT_SECONDS)


@contextmanager
def running_server(*arguments: str, **variables: str) -> Iterator[Process]:
    """Run `sessionary serve` on a free port; kill it at the end."""
    command = [COMMAND, "serve", "--port", "0", *arguments]
    with running_process(command, clean_environment(**variables)) as process:
        yield process


@contextmanager
def running_double(*arguments: str, **variables: str) -> Iterator[Process]:
    """Run `sessionary double` on a free port; kill it at the end."""
    command = [COMMAND, "double", "--port", "0", *arguments]
    with running_process(command, clean_environment(**variables)) as process:
        yield process


@contextmanager
def running_gunicorn(**variables: str) -> Iterator[Process]:
    """Run `gunicorn wsgi:app` with its gunicorn.conf.py on a free port; kill it at the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [str(Path(COMMAND).with_name("gunicorn")), "wsgi:app"]
        with subprocess.Popen(
            [*command, "--bind", f"fd://{listener.fileno()}"],
            stderr=subprocess.DEVNULL,
            text=True,
            env=clean_environment(**variables),
            cwd=Path(__file__).parents[1],
            pass_fds=[listener.fileno()],
            process_group=0,
        ) as popen:
            try:
                yield Process(popen, "http://{}:{}".format(*listener.getsockname()))
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(popen.pid, signal.SIGKILL)


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this environment with no SESSIONARY_ variables other than these."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("SESSIONARY_")}
    return kept | variables | {"PYTHONUNBUFFERED": "1"}


def run_command(
    *command: str | Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a clean environment."""
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def run_python(script: str) -> str:
    """Run a script of Python, which must succeed; return what it printed."""
    result = run_command(sys.executable, "-c", script)
    assert result.returncode == 0, result.stderr
    return result.stdout


@contextmanager
def running_process(
    command: list[str], environ: dict[str, str], log: IO[str] | int = subprocess.DEVNULL
) -> Iterator[Process]:
    """Run a command that starts a server; kill all its processes at the end."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ, process_group=0
    ) as popen:
        try:
            assert popen.stdout is not None
            first = popen.stdout.readline()
            assert "listens on" in first, first
            yield Process(popen, first.split("listens on ")[1].split(",")[0])
        finally:
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGKILL)
