"""WSGI middleware of a server: the one namespace, and paths in the form that has routes."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.store import DEFAULT, Namespace, is_unavailable
from sessionary.web.held import READS, Make, call_when_free, call_within
from sessionary.web.surface import Surface

Application = Callable[..., Iterable[bytes]]
Serve = Callable[[Namespace, dict[str, Any], Any], Iterable[bytes]]
RoutedPath = Callable[[dict[str, Any]], str]


def make_routed_path(surfaces: Sequence[Surface]) -> RoutedPath:
    """The function that gives the path by which a request is routed.

    One slash at the end is dropped. A path that a surface claims is put under `/<surface>`.
    """
    claims = [
        (f"/{surface.name}", surface.claims_root_path)
        for surface in surfaces
        if surface.claims_root_path is not None
    ]

    def routed_path(environ: dict[str, Any]) -> str:
        path: str = environ["PATH_INFO"]
        if len(path) > 1 and path[-1] == "/" and path[-2] != "/":
            path = path[:-1]
        for prefix, is_claimed in claims:
            if is_claimed(environ, path):
                return prefix + path
        return path

    return routed_path


def in_namespace(application: Application, *, reads_write: bool) -> Serve:
    """Call the application with its namespace active. With `reads_write`, reads write rows, too."""

    def serve(
        namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        def make() -> Iterable[bytes]:
            with namespace.activate():
                return application(environ, start_response)

        may_write = reads_write or environ["REQUEST_METHOD"] not in READS
        return call_when_free(namespace, environ, make, may_write=may_write)

    return serve


def handle_outages(serve: Serve, error_handlers: ErrorHandlers) -> Serve:
    """Answer 503, in the vendor's words, if the database fails outside the application."""

    def serve_or_refuse(
        namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        has_started = False

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            nonlocal has_started
            if has_started and not exc_info:  # a response whose writes could not be committed
                exc_info = (sys.exc_info(),)
            has_started = True
            return start_response(status, headers, *exc_info)

        def layer(make: Make) -> Iterable[bytes]:
            try:
                return make()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                namespace.report_outage(error)
                return error_handlers.response(environ["PATH_INFO"], 503)(environ, start)

        return call_within(layer, partial(serve, namespace, environ, start))

    return serve_or_refuse


class NamespaceMiddleware:
    """Serves every request in the one namespace of a server."""

    def __init__(
        self,
        serve: Serve,
        namespace: Namespace,
        error_handlers: ErrorHandlers,
        routed_path: RoutedPath,
    ) -> None:
        self._serve = serve
        self._namespace = namespace
        self._error_response = error_handlers.response
        self._routed_path = routed_path

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["PATH_INFO"] = path = self._routed_path(environ)
        if environ.get("HTTP_SESSIONARY_NAMESPACE", DEFAULT) != DEFAULT:
            message = "A server has only the default namespace."
            return self._error_response(path, 404, message)(environ, start_response)
        return self._serve(self._namespace, environ, start_response)
