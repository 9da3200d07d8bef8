"""WSGI middleware of a double: no web pages, and a namespace for each request."""

import re
from collections.abc import Iterable, Sequence
from functools import partial
from io import BytesIO
from typing import Any

from sessionary.control.access import WebPageGuard, is_control_path
from sessionary.control.blueprint import CONTROL_PATH, NAMESPACES_PATH
from sessionary.control.messages import VendorResponse, buffer_body, call_wsgi
from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.factory.namespace_middleware import Application, RoutedPath, Serve
from sessionary.store import DEFAULT, BadName, Namespaces, TooManyNamespaces
from sessionary.web.context import CALLER
from sessionary.web.held import ON_LOOP, Held
from sessionary.web.route_table import MATCH, RouteTable
from sessionary.web.surface import Surface

_PREFIX = re.compile("/~([^/@]*)(?:@([^/]*))?(/.*)?", re.DOTALL)
# The instant in a key: `ns-t42@2026-03-01T12:00:00Z-x`, `ns-t42@-5m-x`.
_KEY_INSTANT = "@([^Z]*Z|[+-]?[^-]*)(?=-)"
_AT = "HTTP_SESSIONARY_AT"
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")
_LINK = "Link"  # to the explanation of a recorded call
_UNADMITTED = (401, 403, 429)


class WebPageMiddleware:
    """Refuses the requests of web pages, in the vendor's words."""

    def __init__(
        self,
        application: Application,
        guard: WebPageGuard,
        error_handlers: ErrorHandlers,
        routed_path: RoutedPath,
    ) -> None:
        self._application = application
        self._refusal = guard.refusal
        self._error_response = error_handlers.response
        self._routed_path = routed_path

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        message = self._refusal(environ)
        if message is None:
            return self._application(environ, start_response)
        _split_prefix(environ)
        environ["PATH_INFO"] = path = self._routed_path(environ)
        return self._error_response(path, 403, message)(environ, start_response)


class CorsMiddleware:
    """Lets web pages of some origins call the vendors' routes, and answers their preflights."""

    def __init__(
        self,
        application: Application,
        origins: frozenset[str],
        error_handlers: ErrorHandlers,
        routed_path: RoutedPath,
        routes: RouteTable,
    ) -> None:
        self._application = application
        self._origins = origins
        self._error_response = error_handlers.response
        self._routed_path = routed_path
        self._match = routes.match

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        if is_control_path(environ["PATH_INFO"]):
            return self._application(environ, start_response)
        headers = [("Vary", "Origin")]
        if origin in self._origins:
            headers += [("Access-Control-Allow-Origin", origin)]
            headers += [("Access-Control-Expose-Headers", "*")]
            asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD")
            if environ["REQUEST_METHOD"] == "OPTIONS" and asked is not None:
                return self._answer_preflight(environ, start_response, asked, headers)

        def start(status: str, given: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, given + headers, *more)

        return self._application(environ, start)

    def _answer_preflight(
        self,
        environ: dict[str, Any],
        start_response: Any,
        asked: str,
        headers: list[tuple[str, str]],
    ) -> Iterable[bytes]:
        _split_prefix(environ)
        environ["PATH_INFO"] = path = self._routed_path(environ)
        found = self._match(asked, path)
        if found.route is None and not found.methods:
            return self._error_response(path, 404, headers=dict(headers))(environ, start_response)
        start_response("204 No Content", headers + _preflight_headers(environ))
        return []


class MultiNamespaceMiddleware:
    """Serves each request of a double in the namespace of its header, `/~name` or key."""

    def __init__(
        self,
        serve: Serve,
        namespaces: Namespaces,
        error_handlers: ErrorHandlers,
        routed_path: RoutedPath,
        surfaces: Sequence[Surface],
        max_body_bytes: int,
    ) -> None:
        self._serve = serve
        self._namespaces = namespaces
        self._error_response = error_handlers.response
        self._routed_path = routed_path
        self._max_body_bytes = max_body_bytes
        # The name may follow the vendor's prefix or stand first: `gsk_ns-t42-x`, `ns-t42-x`.
        prefixes = "|".join(re.escape(each) for one in surfaces for each in one.sdk.key_prefixes)
        start = f"((?:[Bb]earer +)?(?:{prefixes})?ns-([a-z0-9_]{{1,40}}))"
        self._key = re.compile(f"{start}(?:{_KEY_INSTANT})?-")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        prefix, header = _split_prefix(environ), environ.get("HTTP_SESSIONARY_NAMESPACE")
        environ["PATH_INFO"] = path = self._routed_path(environ)
        if None not in (prefix, header) and prefix != header:
            message = f"The path names the namespace {prefix!r}, the header {header!r}: send one."
            return self._error_response(path, 400, message)(environ, start_response)
        name = self._name(environ, header, prefix)
        if path.startswith(NAMESPACES_PATH):  # its views find the namespaces in their paths
            name = DEFAULT
        namespace = self._namespaces.named(name)
        if namespace is not None:
            return self._serve(namespace, environ, start_response)
        make = partial(self._serve_first, name, path, environ, start_response)
        is_on_loop = environ.pop(ON_LOOP, False)
        return Held(make, thread="pool") if is_on_loop else make()

    def _serve_first(
        self, name: str, path: str, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        """Answer a call in a namespace that does not exist, and create it if it is admitted."""
        try:
            refusal = self._refusal(name, path, environ)
            if refusal is None:
                return self._serve(self._namespaces.get(name), environ, start_response)
        except BadName as error:
            refusal = self._error_response(path, 400, f"{error}, not {name!r}.")
        except TooManyNamespaces as error:
            refusal = self._error_response(path, 503, f"{error}.")
        return refusal(environ, start_response)

    def _name(self, environ: dict[str, Any], *names: str | None) -> str:
        """The first of these names that is given, or the one in a credential.

        An instant in a credential becomes the header `Sessionary-At`, unless there is one.
        """
        for credential in _CREDENTIALS:
            key = self._key.match(environ.get(credential, ""))
            if key is None:
                continue
            names = (*names, key[2])
            if key[3] is not None:  # the user of a key is the one of the key without an instant
                environ.setdefault(_AT, key[3])
                environ[credential] = key[1] + key.string[key.end() - 1 :]
        return next((name for name in names if name is not None), DEFAULT)

    def _refusal(self, name: str, path: str, environ: dict[str, Any]) -> Application | None:
        """The response to a call that creates no namespace; None if the call is admitted.

        The call is tried in a namespace that is thrown away, so that an open route answers, and a
        refusal reads, as in a new one. Admitted are a vendor call with an accepted credential,
        but for an as-of read, and what changes something on the control plane. Raises BadName.
        """
        body, _ = buffer_body(environ, self._max_body_bytes)
        trial = environ if body is None else {**environ, "wsgi.input": BytesIO(body)}
        draft = self._namespaces.draft(name)
        try:
            response = call_wsgi(lambda *given: self._serve(draft, *given), trial)
        finally:
            draft.close()
        if not path.startswith(CONTROL_PATH):
            is_admitted = CALLER in trial and _AT not in environ
            return None if is_admitted else _as_application(response)
        operation = trial[MATCH].operation if MATCH in trial else None
        if response.code in _UNADMITTED or operation is None:
            return _as_application(response)
        if environ["REQUEST_METHOD"] in ("POST", "PUT") and not operation.is_read:
            return None if response.code < 400 else _as_application(response)
        return self._error_response(path, 404, str(self._namespaces.missing(name)))


def _preflight_headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """Allow every method and header: the vendors' routes refuse what they do not take."""
    headers = [
        ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
        ("Access-Control-Max-Age", "600"),
    ]
    for name in ("Headers", "Private-Network"):
        asked = environ.get(f"HTTP_ACCESS_CONTROL_REQUEST_{name.upper().replace('-', '_')}")
        if asked is not None:
            headers.append((f"Access-Control-Allow-{name}", asked))
    return headers


def _split_prefix(environ: dict[str, Any]) -> str | None:
    """Move a prefix `/~name` or `/~name@instant` of the path to SCRIPT_NAME; return the name."""
    prefix = _PREFIX.fullmatch(environ["PATH_INFO"])
    if prefix is None:
        return None
    name, instant, path = prefix.groups()
    if instant is not None:
        environ.setdefault(_AT, instant)
    environ["SCRIPT_NAME"] += environ["PATH_INFO"].removesuffix(path or "")
    environ["PATH_INFO"] = path or "/"
    return name


def _as_application(response: VendorResponse) -> Application:
    """An application with this response, without its link to a journal that is gone."""

    def application(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        headers = [each for each in response.headers if each[0] != _LINK]
        start_response(response.status, headers)
        return response.parts()

    return application
