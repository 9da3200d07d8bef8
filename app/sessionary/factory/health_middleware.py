"""WSGI middleware for `/livez` and `/readyz`, the operator's own paths."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from sessionary import store
from sessionary.factory.error_handlers import MESSAGES, ErrorHandlers
from sessionary.store import Namespace
from sessionary.web.events import REFUSED
from sessionary.web.held import ON_LOOP, Held
from sessionary.web.operations import answer
from sessionary.web.route_table import MATCH, RouteMatch

_log = logging.getLogger("sessionary")


class HealthMiddleware:
    """Answers `/livez` and `/readyz` without a key, and passes on everything else."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        namespace: Namespace,
        error_handlers: ErrorHandlers,
    ) -> None:
        self._application = application
        self._namespace = namespace
        self._error_handlers = error_handlers
        checks = {"/livez": lambda: answer({"status": "alive"}), "/readyz": self._readyz}
        self._checks = checks | {f"{path}/": check for path, check in checks.items()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        check = self._checks.get(path)
        if check is None or REFUSED in environ:
            return self._application(environ, start_response)
        environ[MATCH] = RouteMatch(None, path, path.rstrip("/"))
        if "HTTP_SESSIONARY_AT" in environ:
            message = "Sessionary-At has no meaning here: health is as of now. Leave it out."
            return self._error_handlers.response(path, 400, message)(environ, start_response)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            allow = {"Allow": "GET, HEAD"}
            refusal = self._error_handlers.response(path, 405, MESSAGES[405], allow)
            return refusal(environ, start_response)

        def make() -> Iterable[bytes]:
            return check()(environ, start_response)

        may_wait = check == self._readyz and ON_LOOP in environ
        return Held(make, thread="pool") if may_wait else make()

    def _readyz(self) -> Response:
        try:
            store.check_writable(self._namespace)
        except Exception as error:  # noqa: BLE001 - any error means: not ready
            response = answer({"error": "not_ready", "message": self._reason(error)}, 503)
            response.headers["Retry-After"] = "1"
            return response
        return answer({"status": "ready"})

    def _reason(self, error: Exception) -> str:
        """Log the error; return its message without folder names, since the path is public."""
        if not store.is_unavailable(error):
            _log.exception("the readiness check failed")
            return MESSAGES[500]
        self._namespace.report_outage(error)
        folder = Path(str(self._namespace.database.database)).parent
        return str(error).replace(f"{folder}/", "")
