"""The operator's own paths: whether the process answers, and whether it can do its work."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from sessionary import store
from sessionary.factory.error_handlers import SAID, ErrorHandlers
from sessionary.store import Namespace
from sessionary.web.events import ROUTE
from sessionary.web.operations import answer

_log = logging.getLogger("sessionary")


class HealthMiddleware:
    """Answers `/livez` and `/readyz`, whoever asks, and gives the rest on."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        namespace: Namespace,
        refusals: ErrorHandlers,
    ) -> None:
        self._application = application
        self._namespace = namespace
        self._refusals = refusals
        asked = {"/livez": _live, "/readyz": self._ready}
        self._asked = asked | {f"{path}/": ask for path, ask in asked.items()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        ask = self._asked.get(path)
        if ask is None:
            return self._application(environ, start_response)
        environ[ROUTE] = path.rstrip("/")
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            said = ask()
        else:
            said = self._refusals.of(path, 405, SAID[405], {"Allow": "GET, HEAD"})
        return said(environ, start_response)

    def _ready(self) -> Response:
        try:
            store.check_writable(self._namespace)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
            said = answer({"error": "not_ready", "message": self._reason(error)}, 503)
            said.headers["Retry-After"] = "1"
            return said
        return answer({"status": "ready"})

    def _reason(self, error: Exception) -> str:
        """What is wrong, without where on the disk: anybody may ask. The log is told as well."""
        if not store.is_unavailable(error):
            _log.exception("readiness could not be proved")
            return SAID[500]
        self._namespace.report_outage(error)
        folder = Path(str(self._namespace.database.database)).parent
        return str(error).replace(f"{folder}/", "")


def _live() -> Response:
    return answer({"status": "alive"})
