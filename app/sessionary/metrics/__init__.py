"""Numbers for Prometheus, on an address of their own, summed over all worker processes.

Only this room knows `prometheus_client`, an extra, and imports it when metrics are asked for. Each
worker counts in files of its own in one folder; whichever worker is asked adds them up.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sessionary.metrics.address import Address
from sessionary.metrics.multiproc_dir import made
from sessionary.settings import BadSetting
from sessionary.store import Namespace
from sessionary.web.events import Observer
from sessionary.web.surface import Surface


class Metrics:
    """Counts what it is told of, and says all numbers to who asks at its address."""

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        from sessionary.metrics.counters import count

        self.observe: Observer = count
        self.url = f"http://{Address(*listener.getsockname()[:2])}/metrics"
        self._listener = listener
        self._folder = folder

    def serve(self, namespace: Namespace, surfaces: Sequence[Surface]) -> None:
        """Answer who asks, on a thread of this process, as long as it lives."""
        from sessionary.metrics.exporter import serve

        serve(self._listener, self._folder, namespace, surfaces)


@contextmanager
def open_metrics(address: str | None) -> Iterator[Metrics | None]:
    """Listen at an address such as `127.0.0.1:9090`, until the process that calls this ends.

    Processes that are forked meanwhile share the address and the numbers. Without an address there
    are no metrics. Raises BadSetting, and OSError where the address is taken.
    """
    if address is None:
        yield None
        return
    with Address.parse(address).listener() as listener, made(_port(listener)) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read when it is imported
        yield _ready(listener, folder)


def _port(listener: socket.socket) -> str:
    return str(listener.getsockname()[1])


def _ready(listener: socket.socket, folder: Path) -> Metrics:
    try:
        return Metrics(listener, folder)
    except ModuleNotFoundError as error:
        raise BadSetting(
            "metrics need prometheus_client, which is not installed: "
            "it comes with the extra, sessionary[metrics]"
        ) from error
