"""An HTTP client of one surface that validates responses and repeats lost requests."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.requests import Request
from benchmarks.soak.connection import (
    TIMEOUT_SECONDS,
    Connection,
    ConnectionLost,
    NoResponse,
    RawResponse,
    message,
)
from benchmarks.soak.expected_state import ExpectedState
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

_MIN_REQUESTS, _MAX_REQUESTS = 50, 400  # on one connection
_RETRY_SECONDS = 0.02


class Response(NamedTuple):
    """A response; `was_repeated` if the request may have been carried out before."""

    status: int
    body: Any
    was_repeated: bool


class ClientLost(Exception):
    """The client cannot continue its workload; the reason has been reported."""


class LoadClient:
    """A client with one key."""

    def __init__(
        self, url: str, surface: Surface, headers: Mapping[str, str], state: ExpectedState
    ):
        self._connection = Connection(url)
        self._surface = surface
        self._headers = headers
        self._state = state
        self._left = 0

    async def send(
        self, operation: Operation, request: Request, *, also: int = 0, after_loss: int = 0
    ) -> Response:
        """Send a request until it is answered; return the response.

        Raises ClientLost if it is not valid, or its status is not the request's, `also`, or, for a
        repeated request, `after_loss`.
        """
        began = time.perf_counter()
        raw, was_repeated = await self._send_until_answered(message(request, self._headers))
        counted = "read" if request.method == "GET" else "write"
        self._state.seconds[counted].append(time.perf_counter() - began)
        expected = {request.status, also, *([after_loss] if was_repeated else [])}
        body, is_valid = self._validate(operation, request, raw)
        if raw.status not in expected:
            promise = "error" if raw.status >= 500 else "lost"
            self._state.report(promise, f"{_describe(request)}: {raw.status} {raw.body[:300]!r}")
        if raw.status not in expected or not is_valid:
            raise ClientLost
        return Response(raw.status, body, was_repeated)

    async def _send_until_answered(self, sent: bytes) -> tuple[RawResponse, bool]:
        deadline, was_repeated = time.monotonic() + TIMEOUT_SECONDS, False
        while True:
            await self._change_connections()
            try:
                raw = await self._connection.exchange(sent)
            except ConnectionLost:
                if time.monotonic() > deadline:
                    raise
                self._state.counts["lost_connections"] += 1
                was_repeated = True
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except NoResponse:
                self._state.report(
                    "error", f"no response within {TIMEOUT_SECONDS} s: {sent[:80]!r}"
                )
                raise ClientLost from None
            self._state.counts["requests"] += 1
            if raw.status != 503:
                return raw, was_repeated
            self._unavailable(raw)
            await asyncio.sleep(int(raw.headers.get(b"retry-after", 1)))

    async def _change_connections(self) -> None:
        """Reconnect now and then, or all clients would end up on the longest-lived worker."""
        if not self._left:
            await self._connection.close()
            self._left = random.randint(_MIN_REQUESTS, _MAX_REQUESTS)
        self._left -= 1

    def _unavailable(self, raw: RawResponse) -> None:
        self._state.counts["unavailable"] += 1
        if (
            self._surface.error_schemas[503].validate(_parsed(raw))
            or b"retry-after" not in raw.headers
        ):
            self._state.report("malformed", f"503 {raw.body[:300]!r}")

    def _validate(
        self, operation: Operation, request: Request, raw: RawResponse
    ) -> tuple[Any, bool]:
        """Return the body of a response, and whether it is valid."""
        answers = {**self._surface.error_schemas, **operation.answers}
        schema, body = answers.get(raw.status), _parsed(raw)
        if raw.status not in answers:
            wrong: Any = "undocumented status"
        elif schema is None:
            wrong = raw.body
        else:
            wrong = schema.validate(body)
        if wrong:
            self._state.report("malformed", f"{_describe(request)}: {raw.status} {wrong}")
        return body, not wrong

    async def close(self) -> None:
        await self._connection.close()


def _parsed(raw: RawResponse) -> Any:
    if not raw.headers.get(b"content-type", b"").startswith(b"application/json"):
        return None
    try:
        return json.loads(raw.body)
    except ValueError:
        return None


def _describe(request: Request) -> str:
    return f"{request.method} {request.path}"
