"""The WSGI layer before Flask: one path for each route, and the namespace for the whole request."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.store import (
    DEFAULT,
    BadName,
    Namespace,
    NamespaceClosed,
    Namespaces,
    TooManyNamespaces,
    is_unavailable,
)

Application = Callable[..., Iterable[bytes]]
Serve = Callable[[Namespace, dict[str, Any], Any], Iterable[bytes]]

# No path begins so: Flask would take these slashes for one, and nobody who looks before it does.
_NOWHERE = "//"
_PREFIX = re.compile("/~([^/]*)(/.*)?", re.DOTALL)
# After what a vendor's keys begin with, or at once: `gsk_ns-t42-anything`, `ns-t42-anything`.
_KEY = re.compile("(?:[Bb]earer +)?(?:(?:mob|gsk|sk-notte)[_-])?ns-([a-z0-9_]{1,40})-")
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")


def in_namespace(application: Application) -> Serve:
    """Serve each request in its namespace."""

    def serve(
        namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        with namespace.activate():
            return application(environ, start_response)

    return serve


def handle_outages(serve: Serve, refusals: ErrorHandlers) -> Serve:
    """Refuse as a vendor does where the namespace is out of order around the application, too."""

    def refuse(
        namespace: Namespace, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        try:
            return serve(namespace, environ, start_response)
        except Exception as error:
            if not is_unavailable(error):
                raise
            namespace.report_outage(error)
            refusal = refusals.of(environ["PATH_INFO"], 503)
            return refusal(environ, start_response)

    return refuse


class NamespaceMiddleware:
    """Lets requests into the one namespace that there is."""

    def __init__(self, serve: Serve, namespace: Namespace, refusals: ErrorHandlers) -> None:
        self._serve = serve
        self._namespace = namespace
        self._refusals = refusals

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["PATH_INFO"] = path = routed_path(environ)
        if path.startswith(_NOWHERE):
            return self._refusals.of(path, 404)(environ, start_response)
        if environ.get("HTTP_SESSIONARY_NAMESPACE", DEFAULT) != DEFAULT:
            refusal = self._refusals.of(
                path, 404, "This server has no other namespace than its own."
            )
            return refusal(environ, start_response)
        return self._serve(self._namespace, environ, start_response)


class MultiNamespaceMiddleware:
    """Lets each request into the namespace that it names by header, `/~name` or its key's text."""

    def __init__(self, serve: Serve, namespaces: Namespaces, refusals: ErrorHandlers) -> None:
        self._serve = serve
        self._namespaces = namespaces
        self._refusals = refusals

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        name = _name(environ)
        environ["PATH_INFO"] = path = routed_path(environ)
        if path.startswith(_NOWHERE):
            return self._refusals.of(path, 404)(environ, start_response)
        try:
            return self._enter(name, environ, start_response)
        except BadName as error:
            refusal = self._refusals.of(path, 400, f"{error}, not {name!r}.")
        except TooManyNamespaces as error:
            refusal = self._refusals.of(path, 503, f"{error}.")
        return refusal(environ, start_response)

    def _enter(self, name: str, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        while True:
            try:
                return self._serve(self._namespaces.get(name), environ, start_response)
            except NamespaceClosed:
                continue  # it was dropped while we waited for it


def _name(environ: dict[str, Any]) -> str:
    """The name of a request's namespace; a path prefix that says it is taken off the path."""
    found = _PREFIX.fullmatch(environ["PATH_INFO"])
    if found is not None:
        environ["SCRIPT_NAME"] += f"/~{found[1]}"
        environ["PATH_INFO"] = found[2] or "/"
    named: str | None = environ.get("HTTP_SESSIONARY_NAMESPACE")
    if named is not None:
        return named
    if found is not None:
        return found[1]
    for credential in _CREDENTIALS:
        key = _KEY.match(environ.get(credential, ""))
        if key is not None:
            return key[1]
    return DEFAULT


def routed_path(environ: dict[str, Any]) -> str:
    """The path as it is routed: without a slash at its end; what is Notte's is under `/notte`."""
    path: str = environ["PATH_INFO"]
    if len(path) > 1 and path[-1] == "/" and path[-2] != "/":
        path = path[:-1]
    return "/notte" + path if _is_nottes(environ, path) else path


def _is_nottes(environ: dict[str, Any], path: str) -> bool:
    """Whether a path under `/sessions` at the root is Notte's; every other one is Galtea's."""
    if path != "/sessions" and not path.startswith("/sessions/"):
        return False
    method, parts = environ["REQUEST_METHOD"], path.split("/")
    return (
        "HTTP_X_NOTTE_SDK_VERSION" in environ
        or (method == "POST" and path == "/sessions/start")
        or (method == "DELETE" and len(parts) == 4 and parts[3] == "stop")
    )
