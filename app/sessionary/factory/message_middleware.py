"""WSGI middleware that answers the messages of WebSockets in the vendor's form, errors included."""

from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any

from sessionary.web import json_codec, messages
from sessionary.web.held import Held, Make, call_within
from sessionary.web.surface import Surface

POLICY_VIOLATION = 1008


class MessageMiddleware:
    """Turns an HTTP error into one of the message's format; a wrong key closes the connection.

    A message of up to `max_http_bytes` may also come as a POST with `Sessionary-Method: WS`.
    """

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        find_surface: Callable[[str], Surface | None],
        *,
        max_http_bytes: int,
    ) -> None:
        self._application = application
        self._find_surface = find_surface
        self._max_http_bytes = max_http_bytes

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._is_http_message(environ):
            environ["REQUEST_METHOD"] = messages.METHOD
        if environ["REQUEST_METHOD"] != messages.METHOD:
            return self._application(environ, start_response)
        message, status = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), 200
        environ["wsgi.input"] = BytesIO(message)

        def start(line: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            nonlocal status
            status = int(line[:3])
            if status != HTTPStatus.OK:
                line = "200 OK"
                headers = [each for each in headers if each[0].lower() != "content-length"]
            return start_response(line, headers, *rest)

        def layer(make: Make) -> Iterable[bytes]:
            body = make()
            if isinstance(body, Held) or status == HTTPStatus.OK:
                return body
            if status == HTTPStatus.UNAUTHORIZED and messages.CLOSE in environ:
                environ[messages.CLOSE](POLICY_VIOLATION)
            return self._convert(environ, message, status, body)

        return call_within(layer, partial(self._application, environ, start))

    def _is_http_message(self, environ: dict[str, Any]) -> bool:
        length, wanted = environ.get("CONTENT_LENGTH") or "", environ.get("HTTP_SESSIONARY_METHOD")
        return (
            (environ["REQUEST_METHOD"], wanted) == ("POST", messages.METHOD)
            and length.isdigit()
            and int(length) <= self._max_http_bytes
        )

    def _convert(
        self, environ: dict[str, Any], message: bytes, status: int, body: Iterable[bytes]
    ) -> Iterable[bytes]:
        surface = self._find_surface(environ["PATH_INFO"])
        if surface is None or surface.messages is None:
            return body
        return [json_codec.to_bytes(surface.messages.error(message, status, b"".join(body)))]
