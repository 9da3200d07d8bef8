"""The production server: gunicorn, embedded, so that one command starts everything."""

import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from sessionary import __version__, logs
from sessionary.factory import Prepared, create_app, prepare, welcome
from sessionary.settings import BadSetting, Settings
from sessionary.worker import Worker

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names them, listens on neither


class CannotListen(OSError):
    """The address is taken or is none of this machine's; the message says which."""


def serve(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM, which finishes what is in flight, and exit the process with 0.

    Raises CannotListen, store.Unusable and seed.BadSeed before anything listens.
    """
    if settings.db == ":memory:":
        raise BadSetting("db :memory: cannot be shared with worker processes: name a file")
    _prove_free(settings.host, settings.port)
    logs.configure(settings.log_format)
    prepared = prepare(settings)
    prepared.world.close()  # its connections must not be inherited by the workers
    Worker.longest_body = settings.max_body_bytes
    _Gunicorn(settings, prepared, say).run()


class _Gunicorn(BaseApplication):
    """gunicorn with our settings and nothing of its own: no files, no arguments, no environment."""

    def __init__(self, settings: Settings, prepared: Prepared, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._prepared = prepared
        self._say = say
        self._ready = Path(settings.ready_file) if settings.ready_file else None
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options = {
            "bind": f"{_bracketed(settings.host)}:{settings.port}",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": Worker,
            "keepalive": 65,  # longer than clients keep an idle connection: they close first
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": self._announce,
            "on_exit": self._leave,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        log = logs.to_stderr(self._settings.log_format)
        return create_app(self._settings, self._prepared.world, log)

    def _announce(self, arbiter: Any) -> None:
        host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
        url = f"http://{_bracketed(_ANYWHERE.get(host, host))}:{port}"
        if self._ready:
            write_ready_file(self._ready, url)
        data = Path(self._settings.db).absolute()
        self._say(f"Sessionary {__version__} listens on {url}, its data is in {data}")
        if self._prepared.first_keys:
            self._say(welcome(self._prepared.first_keys, url))

    def _leave(self, _: Any) -> None:
        if self._ready:
            self._ready.unlink(missing_ok=True)


def write_ready_file(path: Path, url: str) -> None:
    """Say atomically that the server listens: nobody ever reads half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"url": url, "pid": os.getpid(), "version": __version__}
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as draft:
        json.dump(content, draft)
    Path(draft.name).replace(path)


def _prove_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
