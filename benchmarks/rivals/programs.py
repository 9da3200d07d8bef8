"""Programs that listen: started, waited for, asked once, and told to end."""

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

PATIENCE = 60


class NotHere(Exception):
    """A rival that cannot be compared here; the message says why."""


class Program(NamedTuple):
    """How a server is started: `{port}` stands for its port."""

    command: Sequence[str]
    variables: Mapping[str, str] = {}


@contextmanager
def running(program: Program) -> Iterator[tuple[int, str]]:
    """The process and address of a server from when it answers, until it is told to end."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = str(trial.getsockname()[1])
    with subprocess.Popen(
        [word.replace("{port}", port) for word in program.command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=without_settings() | program.variables,
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
    """This environment without our settings; modules stay compiled, as an installation has them."""
    left_out = ("SESSIONARY_", "PYTHONDONTWRITEBYTECODE")
    return {name: text for name, text in os.environ.items() if not name.startswith(left_out)}


def wait_for(url: str, popen: "subprocess.Popen[Any]", every: float = 0.05) -> None:
    """Until the server answers anything at all."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=PATIENCE).close()  # noqa: S310
        except urllib.error.HTTPError:
            return
        except OSError:
            if popen.poll() is not None:
                raise NotHere(f"it ended with {popen.returncode} instead of listening") from None
            time.sleep(every)
        else:
            return
    raise NotHere(f"it did not answer within {PATIENCE} s")


def ask(url: str, request: Request, headers: Mapping[str, str]) -> Any:
    """One request, for setting up: the parsed answer."""
    own = {"Content-Type": "application/json", **headers}
    made = urllib.request.Request(  # noqa: S310
        url + request.path, request.content(), own, method=request.method
    )
    with urllib.request.urlopen(made, timeout=PATIENCE) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")
