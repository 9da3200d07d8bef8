"""Error responses outside the views of a surface, in the body that the vendor uses."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from flask import Flask, current_app, has_request_context, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.identity import InvalidKey
from sessionary.identity.rate_limits import RateLimited
from sessionary.web import json_codec
from sessionary.web.events import FAILURE, INVALID_KEY, OUTAGE, REFUSED
from sessionary.web.held import LOAD
from sessionary.web.operations import Invalid, answer
from sessionary.web.route_table import MATCH, RouteMatch, RouteTable
from sessionary.web.spool import LargeResponseRefused
from sessionary.web.surface import retry_after

Application = Callable[..., Iterable[bytes]]
_log = logging.getLogger("sessionary")
MESSAGES = {
    400: "The request could not be understood.",
    401: "Not authenticated",
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
    413: "The request body is larger than {limit} bytes, the maximum of the setting {name}.",
    429: "Too many requests",
    500: "Internal server error",
    503: "The database is busy or cannot be written; nothing was changed. Try again.",
}


class ErrorHandlers:
    """Error handlers of an application; the first segment of the path selects the surface."""

    def __init__(self, app: Flask, routes: RouteTable) -> None:
        self.surface = routes.surface
        self._split = routes.split
        app.register_error_handler(InvalidKey, self._invalid_key)
        app.register_error_handler(RateLimited, self._rate_limited)
        app.register_error_handler(LargeResponseRefused, self._large_response_refused)
        app.register_error_handler(HTTPException, self._http_error)
        app.register_error_handler(Exception, self._server_error)

    def response(
        self,
        path: str,
        status: int,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The error response to a request for this path."""
        surface = self.surface(path)
        if surface is None:
            status = 404 if message is None else status
            error = "not_found" if status == 404 else "refused"
            response = answer({"error": error, "message": message or MESSAGES[404]}, status)
        else:
            message = message or MESSAGES.get(status, "The request was refused.")
            response = answer(surface.error_body(status, message), status)
            response.content_type = surface.error_content_type
        if status == 503:
            response.headers.update((surface.retry_headers if surface else retry_after)(1000))
        response.headers.update(headers or {})
        if surface is not None and path.rstrip("/") == f"/{surface.name}" and has_request_context():
            # Generic clients look for the document there.
            place = f"{request.script_root}/{surface.name}/openapi.json"
            response.headers["Link"] = f'<{place}>; rel="service-desc"'
        return response

    def refusing(self, application: Application) -> Application:
        """The application, but it refuses what it cannot read, and a path with leading slashes.

        Flask takes these slashes for one.
        """

        def refuse_or_call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            path: str = environ["PATH_INFO"]
            has_slashes = path[:2] == "//"
            refused = environ.get(REFUSED)
            if "HTTP_CONTENT_ENCODING" in environ and refused is None:
                refused = _unsupported(environ)
            if not has_slashes and refused is None:
                return application(environ, start_response)
            environ[MATCH] = RouteMatch(*self._split(path))
            return self._refusal(path, *(refused or (404, MESSAGES[404])))(environ, start_response)

        return refuse_or_call

    def _refusal(self, path: str, status: int, message: str) -> Response:
        if self.surface(path) is not None or status == 404:
            return self.response(path, status, message)
        return Response(f"{message}\n", status, content_type="text/plain")

    def _invalid_key(self, _: InvalidKey) -> Response:
        request.environ[FAILURE] = INVALID_KEY
        surface = self.surface(request.path)
        scheme = surface.security.get("scheme") if surface else None
        headers = {"WWW-Authenticate": scheme.title()} if scheme else None
        return self.response(request.path, 401, None, headers)

    def _rate_limited(self, error: RateLimited) -> Response:
        """The vendor's own response to too many requests, where it is known."""
        response = self.response(request.path, 429)
        surface = self.surface(request.path)
        if surface is not None:
            preset = surface.fault_presets.get("rate_limited")
            if preset is not None:
                response.set_data(json_codec.to_bytes(preset.body))
            response.headers.update(surface.retry_headers(-(-error.wait_us // 1000)))
        return response

    def _large_response_refused(self, error: LargeResponseRefused) -> Response:
        _log.warning("a large response was refused: %s", str(error))
        message = "The response is too large to be made at the moment. Try again, or ask for less."
        return self.response(request.path, 503, message)

    def _http_error(self, error: HTTPException) -> Response:
        """Authenticate first where the path has no route: 401 comes before 404."""
        surface = self.surface(request.path)
        if request.url_rule is None and surface is not None:
            try:
                surface.authenticate()
            except Invalid:
                pass  # a bad Sessionary-At does not matter here
            except Exception as refusal:  # noqa: BLE001 - Flask does not catch it here
                return cast(Response, current_app.handle_user_exception(refusal))
        allowed = error.valid_methods if isinstance(error, MethodNotAllowed) else None
        headers = {"Allow": ", ".join(sorted(allowed))} if allowed else None
        message = _too_large() if error.code == 413 else None
        return self.response(request.path, error.code or 500, message, headers)

    def _server_error(self, error: Exception) -> Response:
        if store.is_over_limit(error) and LOAD not in request.environ:
            raise store.TooLarge from None
        if store.is_busy(error) and not store.may_wait():
            raise store.WouldWait from None
        if isinstance(error, store.NamespaceClosed):
            raise store.ContentsReplaced from None
        if store.is_unavailable(error):
            request.environ[FAILURE] = OUTAGE
            store.report_outage(error)
            return self.response(request.path, 503)
        # The rule instead of the path, which may hold personal data.
        rule = f"{request.method} {request.url_rule}" if request.url_rule else "unrouted request"
        _log.exception("%s failed", rule)
        return self.response(request.path, 500)


def _too_large() -> str:
    limit = request.max_content_length
    is_usual = limit == current_app.config["MAX_CONTENT_LENGTH"]
    name = "max_body_bytes" if is_usual else "max_restore_bytes"
    return MESSAGES[413].format(limit=limit, name=name)


def _unsupported(environ: Mapping[str, str]) -> tuple[int, str] | None:
    """The refusal of a body that is encoded; its headers are read, but not the body."""
    coding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if coding.strip().lower() in ("", "identity") or environ.get("CONTENT_LENGTH") == "0":
        return None
    return 415, f"Content-Encoding {coding} is not supported: send the body without it."
