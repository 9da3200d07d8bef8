"""Measures how long one client waits for a server, in a process of its own.

Run as a program, it is the process: `python -m benchmarks.probe`, with a plan on stdin.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks import load
from benchmarks.requests import Request

_TIMEOUT_SECONDS = 10  # of one check
_RETRY_SECONDS = 0.005


class Sample(NamedTuple):
    """A request on a connection of its own, repeated if the connection was lost."""

    began: float  # monotonic, the same in every process
    wait: float  # seconds until its response
    late: float  # of these, the seconds in which the machine had no CPU for the probe
    status: int  # 0 without a response


class Probe:
    """Sends these requests over and over, with a pause after each, until it is stopped."""

    def __init__(
        self, url: str, requests: Iterable[Request], headers: Mapping[str, str], every: float
    ) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._popen.stdin is not None
        plan = {"url": url, "every": every, "headers": dict(headers), "requests": [*requests]}
        self._popen.stdin.write(json.dumps(plan) + "\n")
        self._popen.stdin.flush()

    def stop(self) -> list[Sample]:
        """Wait for the last response; return all samples."""
        output, _ = self._popen.communicate(timeout=2 * _TIMEOUT_SECONDS)
        return [Sample(*each) for each in json.loads(output)]

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()


def overlapping(samples: Iterable[Sample], began: float, ended: float) -> list[Sample]:
    """Return the samples that were waited for between two instants."""
    return [each for each in samples if each.began <= ended and each.began + each.wait >= began]


def _run() -> None:
    plan = json.loads(sys.stdin.readline())
    requests = [Request(*each) for each in plan["requests"]]
    samples: list[Sample] = []
    while True:
        if select.select([sys.stdin], [], [], plan["every"])[0]:
            break
        began, waited = time.monotonic(), _cpu_wait()
        request = requests[len(samples) % len(requests)]
        status = _check(plan["url"], request, plan["headers"], began + _TIMEOUT_SECONDS)
        late = _cpu_wait() - waited
        samples.append(Sample(began, time.monotonic() - began, late, status))
    print(json.dumps(samples))


def _cpu_wait() -> float:
    return sum(load.cpu_waits(os.getpid()).values())


def _check(url: str, request: Request, headers: dict[str, str], deadline: float) -> int:
    content = request.content()
    own = headers | ({} if content is None else {"Content-Type": "application/json"})
    while (left := deadline - time.monotonic()) > 0:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=left)
        try:
            connection.request(request.method, request.path, content, own)
            response = connection.getresponse()
            response.read()
        except (OSError, HTTPException):
            time.sleep(_RETRY_SECONDS)
        else:
            return response.status
        finally:
            connection.close()
    return 0


def within(samples: Iterable[Sample], seconds: float, every: float) -> tuple[int, int]:
    """Return how many checks were answered with 200 in time, and of how many.

    A check is due `every` so many seconds, also while one is waited for: a long wait counts as
    often as clients would have come.
    """
    due = [
        each.status == 200 and each.wait - each.late - number * every <= seconds
        for each in samples
        for number in range(1 + int(each.wait / every))
    ]
    return sum(due), len(due)


if __name__ == "__main__":
    _run()
