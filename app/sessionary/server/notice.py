"""What is said about a server, whichever it is: that it listens and where, or that it cannot."""

import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from sessionary import __version__
from sessionary.settings import Settings

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names them, listens on neither


class CannotListen(OSError):
    """The address is taken or is none of this machine's; the message says which."""


class Notice:
    """Tells people and programs that the server listens, and where.

    `more` makes of the address what people are told besides, if anything.
    """

    def __init__(
        self,
        settings: Settings,
        say: Callable[[str], None],
        more: Callable[[str], str],
    ) -> None:
        self._data = "memory" if settings.db == ":memory:" else Path(settings.db).absolute()
        self._ready = Path(settings.ready_file) if settings.ready_file else None
        self._scheme = "https" if settings.tls_certificate else "http"
        self._say = say
        self._more = more

    def put_up(self, listener: socket.socket) -> None:
        """Say where this socket listens."""
        host, port = listener.getsockname()[:2]
        url = f"{self._scheme}://{bracketed(_ANYWHERE.get(host, host))}:{port}"
        if self._ready:
            write_ready_file(self._ready, url)
        self._say(f"Sessionary {__version__} listens on {url}, its data is in {self._data}")
        more = self._more(url)
        if more:
            self._say(more)

    def take_down(self) -> None:
        """The server has left."""
        if self._ready:
            self._ready.unlink(missing_ok=True)


def write_ready_file(path: Path, url: str) -> None:
    """Say atomically that the server listens: nobody ever reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"url": url, "pid": os.getpid(), "version": __version__}
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        json.dump(content, draft)
    Path(draft.name).replace(path)


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
