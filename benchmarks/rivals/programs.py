"""Starts and stops servers, and sends single requests."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from benchmarks.requests import Request

TIMEOUT_SECONDS = 60


class RivalUnavailable(Exception):
    """A rival that cannot be run here; the message says why."""


class Program(NamedTuple):
    """The command of a server; `{port}` stands for its port."""

    command: Sequence[str]
    variables: Mapping[str, str] = {}


@contextmanager
def running(program: Program) -> Iterator[tuple[int, str]]:
    """Run a server while the block lasts; gives its pid and URL once it answers."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = str(trial.getsockname()[1])
    with subprocess.Popen(
        [word.replace("{port}", port) for word in program.command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**without_settings(), **program.variables},
        start_new_session=True,
    ) as popen:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, popen)
            yield popen.pid, url
        finally:
            with suppress(ProcessLookupError):
                os.killpg(popen.pid, signal.SIGTERM)
            try:
                popen.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(popen.pid, signal.SIGKILL)


def without_settings() -> dict[str, str]:
    """Return this environment without our settings, and with compiled modules allowed."""
    left_out = ("SESSIONARY_", "PYTHONDONTWRITEBYTECODE")
    return {name: text for name, text in os.environ.items() if not name.startswith(left_out)}


def wait_for(url: str, popen: "subprocess.Popen[Any]", every: float = 0.05) -> None:
    """Wait until the server answers with any status."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS).close()  # noqa: S310
        except urllib.error.HTTPError:
            return
        except OSError:
            if popen.poll() is not None:
                raise RivalUnavailable(
                    f"it exited with {popen.returncode} before it listened"
                ) from None
            time.sleep(every)
        else:
            return
    raise RivalUnavailable(f"it did not answer within {TIMEOUT_SECONDS} s")


def send(url: str, request: Request, headers: Mapping[str, str]) -> Any:
    """Send one request, for setup; return the parsed response."""
    own = {"Content-Type": "application/json", **headers}
    made = urllib.request.Request(  # noqa: S310
        url + request.path, request.content(), own, method=request.method
    )
    with urllib.request.urlopen(made, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")
