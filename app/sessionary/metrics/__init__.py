"""Collects request metrics and serves them over HTTP, summed over all worker processes.

`prometheus_client`, an extra, is imported only where metrics are enabled. Each worker writes files
of its own in one folder; the worker that is scraped adds them up.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sessionary.metrics import multiproc_dir
from sessionary.metrics.address import Address
from sessionary.settings import BadSetting
from sessionary.store import Namespace
from sessionary.web.events import Observer
from sessionary.web.surface import Surface


class Metrics:
    """The metrics of one server and the address that serves them."""

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        from sessionary.metrics.counters import count

        self.observe: Observer = count
        self.url = f"http://{Address(*listener.getsockname()[:2])}/metrics"
        self._listener = listener
        self._folder = folder

    def serve(self, namespace: Namespace, surfaces: Sequence[Surface]) -> None:
        """Answer scrapes on a daemon thread of this process."""
        from sessionary.metrics.exporter import serve

        serve(self._listener, self._folder, namespace, surfaces)


@contextmanager
def open_metrics(address: str | None) -> Iterator[Metrics | None]:
    """Listen at an address such as `127.0.0.1:9090` while the block lasts; None disables metrics.

    Processes that are forked in the block share the address and the metrics. Raises BadSetting,
    and OSError if the address is in use.
    """
    if address is None:
        yield None
        return
    with (
        Address.parse(address).listener() as listener,
        multiproc_dir.create(str(listener.getsockname()[1])) as folder,
    ):
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read at its import
        yield _make_metrics(listener, folder)


def _make_metrics(listener: socket.socket, folder: Path) -> Metrics:
    try:
        return Metrics(listener, folder)
    except ModuleNotFoundError as error:
        raise BadSetting(
            "metrics need prometheus_client, which is not installed: "
            "it comes with the extra, sessionary[metrics]"
        ) from error
