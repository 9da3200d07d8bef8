"""What is said about a server, whichever it is: that it listens and where, or that it cannot."""

import errno
import json
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sessionary import __version__
from sessionary.settings import Settings

_log = logging.getLogger("sessionary")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names them, listens on neither


class CannotListen(OSError):
    """The address is taken or is none of this machine's; the message says which."""


class CannotTell(OSError):
    """The ready file cannot be written; the message says why."""


class Notice:
    """Tells people and programs that the server listens, and where.

    `more` makes of the address what people are told besides, if anything. Nobody need listen to
    it: `unheard` is then what the log says.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        more: Callable[[str], str],
        unheard: str | None = None,
    ) -> None:
        self._data = "memory" if settings.db == ":memory:" else Path(settings.db).absolute()
        self._ready = Path(settings.ready_file) if settings.ready_file else None
        self._scheme = "https" if settings.tls_certificate else "http"
        self._say = say
        self._more = more
        self._unheard = unheard

    def put_up(self, listener: socket.socket) -> None:
        """Say where this socket listens. Raises CannotTell."""
        host, port = listener.getsockname()[:2]
        url = f"{self._scheme}://{bracketed(_ANYWHERE.get(host, host))}:{port}"
        try:
            if self._ready:
                write_ready_file(self._ready, url)
        finally:
            self._tell(url)  # there may be keys in it, which are told only once

    def take_down(self) -> None:
        """The server has left."""
        if self._ready:
            self._ready.unlink(missing_ok=True)

    def _tell(self, url: str) -> None:
        where = f"Sessionary {__version__} listens on {url}, its data is in {self._data}"
        try:
            self._say("\n".join(filter(None, (where, self._more(url)))))
        except OSError as error:
            _say_no_more()
            if self._unheard:
                _log.warning("nobody could be told (%s): %s", error.strerror, self._unheard)


def _say_no_more() -> None:
    """Let go of what was not heard: the process and its workers would fail on it at their end."""
    with suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        sys.stdout.flush()


def write_ready_file(path: Path, url: str) -> None:
    """Say atomically that the server listens: nobody ever reads half a file. Raises CannotTell."""
    content = {"url": url, "pid": os.getpid(), "version": __version__}
    with _draft(path, json.dumps(content)) as draft:
        draft.replace(path)


def prove_tellable(ready_file: str | None) -> None:
    """Raise CannotTell unless the ready file, if there is to be one, can be written."""
    if ready_file:
        with _draft(Path(ready_file), ""):
            if Path(ready_file).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


@contextmanager
def _draft(path: Path, content: str) -> Iterator[Path]:
    """A file beside the ready file, gone at the end unless it has taken its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            draft = Path(file.name)
        try:
            draft.write_text(content)
            yield draft
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise CannotTell(f"cannot write the ready file {path}: {error.strerror}") from error


def prove_free(host: str, port: int) -> None:
    """Raise CannotListen unless this address can be listened on."""
    with socket.socket(family(host)) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error


def family(host: str) -> socket.AddressFamily:
    """IPv6 for what is written with colons, else IPv4."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bracketed(host: str) -> str:
    """The host as it is written before a port."""
    return f"[{host}]" if ":" in host else host
