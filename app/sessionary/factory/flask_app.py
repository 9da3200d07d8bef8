"""Flask, without work at each request that this application does not need."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Request, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

from sessionary.web.events import REFUSED


class _NoSessions(SessionInterface):
    """The same empty session for each request: nothing is kept in cookies."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        return self._session


class SessionaryFlask(Flask):
    """Flask for plain functions, without sessions and without a name of the server."""

    session_interface = _NoSessions()

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        self._before: dict[str | None, tuple[Callable[[], Any], ...]] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, without a check at each call for a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the routes to a request; its Host selects none (10 % of the time of a GET)."""
        names = self.config["SERVER_NAME"], self.config["TRUSTED_HOSTS"]
        if request is None or "HTTP_UPGRADE" in request.environ or any(names):
            return super().create_url_adapter(request)
        return MapAdapter(
            self.url_map,
            request.host.lower(),
            request.root_path,
            "",
            request.scheme,
            request.path,
            request.method,
            request.environ.get("QUERY_STRING", ""),
        )

    def preprocess_request(self) -> Any:
        """Call the functions before a view; they are found once for each endpoint."""
        endpoint = request.endpoint
        found = self._before.get(endpoint)
        if found is None:
            names = (None, *reversed(request.blueprints))
            if any(self.url_value_preprocessors.get(name) for name in names):
                return super().preprocess_request()
            functions = (each for name in names for each in self.before_request_funcs.get(name, ()))
            found = self._before[endpoint] = tuple(functions)
        for function in found:
            response = function()
            if response is not None:
                return response
        return None

    def refuse(
        self, environ: dict[str, Any], start_response: Any, status: int, message: str
    ) -> Iterable[bytes]:
        """Answer a request that the HTTP core could not read, in the vendor's words."""
        environ[REFUSED] = status, message
        return self.wsgi_app(environ, start_response)
