"""What is refused before a surface is asked, or because it broke: in the vendor's words."""

import logging
from collections.abc import Sequence

from flask import Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.identity import InvalidKey
from sessionary.identity.rate_limits import RateLimited
from sessionary.web import json_codec
from sessionary.web.events import BAD_KEY, DISORDER, FAILURE
from sessionary.web.operations import Invalid, answer
from sessionary.web.surface import Surface, by_segment, retry_after

_log = logging.getLogger("sessionary")
SAID = {
    400: "The request could not be understood.",
    401: "Not authenticated",
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
    413: "The request body is too large.",
    429: "Too many requests",
    500: "Internal server error",
    503: "The database is busy or cannot be written; nothing was changed. Try again.",
}


class ErrorHandlers:
    """The refusals of some surfaces, told apart by the first segment of the path."""

    def __init__(self, surfaces: Sequence[Surface]) -> None:
        self._by_segment = by_segment(surfaces)

    def register(self, app: Flask) -> None:
        """Make an application refuse so."""
        app.register_error_handler(InvalidKey, self._unknown)
        app.register_error_handler(RateLimited, self._too_many)
        app.register_error_handler(HTTPException, self._refused)
        app.register_error_handler(Exception, self._broken)

    def surface(self, path: str) -> Surface | None:
        """Whose a path is."""
        return self._by_segment.get("".join(path.split("/", 2)[1:2]))

    def of(
        self,
        path: str,
        status: int,
        message: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """A refusal of what was asked at this path."""
        surface = self.surface(path)
        if surface is None:
            status = 404 if message is None else status
            error = "not_found" if status == 404 else "refused"
            response = answer({"error": error, "message": message or SAID[404]}, status)
        else:
            message = message or SAID.get(status, "The request was refused.")
            response = answer(surface.error_body(status, message), status)
            response.content_type = surface.error_content_type
        if status == 503:
            response.headers.update((surface.retry_headers if surface else retry_after)(1000))
        response.headers.update(headers or {})
        return response

    def _unknown(self, _: InvalidKey) -> Response:
        request.environ[FAILURE] = BAD_KEY
        surface = self.surface(request.path)
        scheme = surface.security.get("scheme") if surface else None
        headers = {"WWW-Authenticate": scheme.title()} if scheme else None
        return self.of(request.path, 401, None, headers)

    def _too_many(self, error: RateLimited) -> Response:
        """As the vendor is known to do when it is asked too often."""
        said = self.of(request.path, 429)
        surface = self.surface(request.path)
        if surface is not None:
            limited = surface.fault_presets.get("rate_limited")
            if limited is not None:
                said.set_data(json_codec.to_bytes(limited.body))
            said.headers.update(surface.retry_headers(-(-error.wait_us // 1000)))
        return said

    def _refused(self, error: HTTPException) -> Response:
        """Of an unrouted path, say first whether the caller may ask at all."""
        surface = self.surface(request.path)
        if request.url_rule is None and surface is not None:
            try:
                surface.authenticate()
            except InvalidKey as unknown:
                return self._unknown(unknown)
            except RateLimited as too_many:
                return self._too_many(too_many)
            except Invalid:
                pass  # as of which instant to read does not matter where there is nothing
            except Exception as broken:  # noqa: BLE001 - nobody else catches it here
                return self._broken(broken)
        allowed = error.valid_methods if isinstance(error, MethodNotAllowed) else None
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else None
        return self.of(request.path, error.code or 500, None, headers)

    def _broken(self, error: Exception) -> Response:
        if store.is_unavailable(error):
            request.environ[FAILURE] = DISORDER
            store.report_outage(error)
            return self.of(request.path, 503)
        # The pattern, for a path may hold what nobody may read.
        route = f"{request.method} {request.url_rule}" if request.url_rule else "what has no route"
        _log.exception("%s failed", route)
        return self.of(request.path, 500)
