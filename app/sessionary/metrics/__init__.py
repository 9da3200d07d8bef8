"""Collects request metrics and serves them over HTTP, summed over all worker processes.

`prometheus_client`, an extra, is imported only where metrics are enabled. Each worker writes files
of its own in one folder; the worker that is scraped adds them up.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sessionary.metrics.multiproc_dir import create_folder
from sessionary.settings import BadSetting
from sessionary.web.events import Observer


class Metrics(NamedTuple):
    """The metrics of one server, and the listener that serves them."""

    observe: Observer
    listener: socket.socket
    folder: Path

    @property
    def url(self) -> str:
        host, port = self.listener.getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


@contextmanager
def open_metrics(address: str | None) -> Iterator[Metrics | None]:
    """Listen at an address such as `127.0.0.1:9090` while the block lasts; None disables metrics.

    Processes that are forked in the block share the address and the metrics. Raises BadSetting,
    and OSError if the address is in use.
    """
    if address is None:
        yield None
        return
    with _listen(address) as listener, create_folder(listener.getsockname()[1]) as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read at its import
        try:
            from sessionary.metrics.counters import count
        except ModuleNotFoundError as error:
            raise BadSetting(
                "metrics need prometheus_client, which is not installed: "
                "it comes with the extra, sessionary[metrics]"
            ) from error
        yield Metrics(count, listener, folder)


def _listen(address: str) -> socket.socket:
    """Listen at `127.0.0.1:9090` or `[::1]:9090`, non-blocking: several processes may accept."""
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port) < 2**16
    if not is_port or not host or (":" in host) != host.startswith("["):
        raise BadSetting(f"metrics must be an address such as 127.0.0.1:9090, not {address!r}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), int(port)), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise OSError(f"cannot serve metrics on {address}: {reason}") from error
    listener.setblocking(False)
    return listener
