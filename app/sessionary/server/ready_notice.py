"""Startup banner, ready file and port check of a server or a double."""

import errno
import json
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sessionary import __version__, store
from sessionary.settings import Settings

_log = logging.getLogger("sessionary")
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound


class CannotListen(OSError):
    """The address is in use or not of this machine; the message names it."""


class CannotWriteReadyFile(OSError):
    """The ready file cannot be written; the message says why."""


class ReadyNotice:
    """Announces the address of a server: a banner for people, a ready file for programs.

    `details` makes the rest of the banner from the URL. If the banner cannot be printed, the log
    gets `if_unprinted` as a warning.
    """

    def __init__(
        self,
        settings: Settings,
        echo: Callable[[str], None],
        details: Callable[[str], str],
        if_unprinted: str | None = None,
    ) -> None:
        self._data = "memory" if settings.db == ":memory:" else Path(settings.db).absolute()
        self._ready_file = Path(settings.ready_file) if settings.ready_file else None
        self._scheme = "https" if settings.tls_certificate else "http"
        self._echo = echo
        self._details = details
        self._if_unprinted = if_unprinted

    def announce(self, listener: socket.socket) -> None:
        """Write the ready file and print the banner. Raises CannotWriteReadyFile."""
        host, port = listener.getsockname()[:2]
        url = f"{self._scheme}://{bracketed(_LOOPBACK.get(host, host))}:{port}"
        try:
            if self._ready_file:
                write_ready_file(self._ready_file, url)
        finally:
            self._print_banner(url)  # it may hold new keys, which are shown only once

    def withdraw(self) -> None:
        """Remove the ready file."""
        if self._ready_file:
            self._ready_file.unlink(missing_ok=True)

    def _print_banner(self, url: str) -> None:
        first = f"Sessionary {__version__} listens on {url}, data: {self._data}"
        try:
            self._echo("\n".join(filter(None, (first, self._details(url)))))
        except OSError as error:
            _discard_output()
            if self._if_unprinted:
                reason = f"the startup banner could not be printed ({error.strerror})"
                _log.warning("%s: %s", reason, self._if_unprinted)


def _discard_output() -> None:
    """Drop buffered output: this process and its workers would fail on it when they exit."""
    with suppress(OSError, ValueError), Path(os.devnull).open("w") as null:
        os.dup2(null.fileno(), sys.stdout.fileno())
        sys.stdout.flush()


def write_ready_file(path: Path, url: str) -> None:
    """Write the ready file atomically. Raises CannotWriteReadyFile."""
    content = {"url": url, "pid": os.getpid(), "version": __version__}
    with _named_errors(path), store.atomic_write(path, durable=False) as draft:
        draft.write_text(json.dumps(content))


def check_ready_file_writable(ready_file: str | None) -> None:
    """Raise CannotWriteReadyFile if the ready file is set and cannot be written."""
    if ready_file:
        path = Path(ready_file)
        with _named_errors(path), store.draft_folder(path):
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Raise CannotWriteReadyFile for every error of the block."""
    try:
        yield
    except OSError as error:
        message = f"cannot write the ready file {path}: {error.strerror}"
        raise CannotWriteReadyFile(message) from error


def check_port_free(host: str, port: int) -> None:
    """Raise CannotListen if this address cannot be bound."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error


def bracketed(host: str) -> str:
    """Return the host as it is written before a port: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host
