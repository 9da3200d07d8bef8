"""WSGI middleware that selects a request's namespace and normalizes its path."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.store import (
    DEFAULT,
    BadName,
    Namespace,
    Namespaces,
    TooManyNamespaces,
    is_unavailable,
)
from sessionary.web.held import Make, call_within
from sessionary.web.surface import Surface

Application = Callable[..., Iterable[bytes]]
Serve = Callable[[Namespace, dict[str, Any], Any], Iterable[bytes]]
RoutedPath = Callable[[dict[str, Any]], str]

_NO_ROUTE = "//"  # refuse such paths here: Flask takes these slashes for one
_PREFIX = re.compile("/~([^/]*)(/.*)?", re.DOTALL)
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")


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


def in_namespace(application: Application) -> Serve:
    """Call the application with its namespace active."""

    def serve(
        namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        with namespace.activate():
            return application(environ, start_response)

    return serve


def handle_outages(serve: Serve, error_handlers: ErrorHandlers) -> Serve:
    """Answer 503, in the vendor's words, if the database fails outside the application."""

    def serve_or_refuse(
        namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        def layer(make: Make) -> Iterable[bytes]:
            try:
                return make()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                namespace.report_outage(error)
                return error_handlers.response(environ["PATH_INFO"], 503)(environ, start_response)

        return call_within(layer, partial(serve, namespace, environ, start_response))

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
        if path.startswith(_NO_ROUTE):
            return self._error_response(path, 404)(environ, start_response)
        if environ.get("HTTP_SESSIONARY_NAMESPACE", DEFAULT) != DEFAULT:
            message = "A server has only the default namespace."
            return self._error_response(path, 404, message)(environ, start_response)
        return self._serve(self._namespace, environ, start_response)


class MultiNamespaceMiddleware:
    """Serves each request of a double in the namespace of its header, `/~name` or key."""

    def __init__(
        self,
        serve: Serve,
        namespaces: Namespaces,
        error_handlers: ErrorHandlers,
        routed_path: RoutedPath,
        surfaces: Sequence[Surface],
    ) -> None:
        self._serve = serve
        self._namespaces = namespaces
        self._error_response = error_handlers.response
        self._routed_path = routed_path
        # The name may follow the vendor's prefix or stand first: `gsk_ns-t42-x`, `ns-t42-x`.
        prefixes = "|".join(re.escape(each) for one in surfaces for each in one.sdk.key_prefixes)
        self._key = re.compile(f"(?:[Bb]earer +)?(?:{prefixes})?ns-([a-z0-9_]{{1,40}})-")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        name = self._name(environ)
        environ["PATH_INFO"] = path = self._routed_path(environ)
        if path.startswith(_NO_ROUTE):
            return self._error_response(path, 404)(environ, start_response)
        try:
            namespace = self._namespaces.get(name)
        except BadName as error:
            refusal = self._error_response(path, 400, f"{error}, not {name!r}.")
        except TooManyNamespaces as error:
            refusal = self._error_response(path, 503, f"{error}.")
        else:
            return self._serve(namespace, environ, start_response)
        return refusal(environ, start_response)

    def _name(self, environ: dict[str, Any]) -> str:
        """The name of a request's namespace; moves a path prefix to SCRIPT_NAME."""
        prefix = _PREFIX.fullmatch(environ["PATH_INFO"])
        if prefix is not None:
            environ["SCRIPT_NAME"] += f"/~{prefix[1]}"
            environ["PATH_INFO"] = prefix[2] or "/"
        header: str | None = environ.get("HTTP_SESSIONARY_NAMESPACE")
        if header is not None:
            return header
        if prefix is not None:
            return prefix[1]
        for credential in _CREDENTIALS:
            key = self._key.match(environ.get(credential, ""))
            if key is not None:
                return key[1]
        return DEFAULT
