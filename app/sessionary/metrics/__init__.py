"""Numbers for Prometheus, on an address of their own, summed over all worker processes.

Only this room knows `prometheus_client`, an extra, and imports it when metrics are asked for. Each
worker counts in files of its own in one folder; whichever worker is asked adds them up.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sessionary.metrics.address import Address
from sessionary.settings import BadSetting
from sessionary.store import World
from sessionary.wire.answered import Tell
from sessionary.wire.surface import Surface

_MEMORY = Path("/dev/shm")  # noqa: S108 - a full disk would end who writes to a mapped file


class Metrics:
    """Counts what it is told of, and says all numbers to who asks at its address."""

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        from sessionary.metrics.requests import count

        self.tell: Tell = count
        self.url = f"http://{Address(*listener.getsockname()[:2])}/metrics"
        self._listener = listener
        self._folder = folder

    def serve(self, world: World, surfaces: Sequence[Surface]) -> None:
        """Answer who asks, on a thread of this process, as long as it lives."""
        from sessionary.metrics.scraping import serve

        serve(self._listener, self._folder, world, surfaces)


@contextmanager
def opened(address: str | None) -> Iterator[Metrics | None]:
    """Listen at an address such as `127.0.0.1:9090`, until the process that calls this ends.

    Processes that are forked meanwhile share the address and the numbers. Without an address there
    are no metrics. Raises BadSetting, and OSError where the address is taken.
    """
    if address is None:
        yield None
        return
    with Address.parse(address).listener() as listener:
        folder = _emptied(listener)
        owner = os.getpid()
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read when it is imported
        try:
            yield _made(listener, folder)
        finally:
            if os.getpid() == owner:  # a worker leaves by here as well
                shutil.rmtree(folder, ignore_errors=True)


def _made(listener: socket.socket, folder: Path) -> Metrics:
    try:
        return Metrics(listener, folder)
    except ModuleNotFoundError as error:
        raise BadSetting(
            "metrics need prometheus_client, which is not installed: "
            "it comes with the extra, sessionary[metrics]"
        ) from error


def _emptied(listener: socket.socket) -> Path:
    """A folder of this address, which nobody else can have: one that was killed left it full."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    host, port = listener.getsockname()[:2]
    folder = place / f"sessionary-metrics-{os.geteuid()}-{host}-{port}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    return folder
