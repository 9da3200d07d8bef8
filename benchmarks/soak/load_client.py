"""A client of one surface: it asks, proves what it is answered, and asks again when it is cut."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.requests import Request
from benchmarks.soak.connection import PATIENCE, Connection, Cut, Raw, Silent, message
from benchmarks.soak.expected_state import Ledger
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

_FEW, _MANY = 50, 400  # requests, after which a client takes a new connection
_BREATH_SECONDS = 0.02  # before it is tried again


class Answer(NamedTuple):
    """An answer; `was_repeated` where the request may have been carried out before."""

    status: int
    body: Any
    was_repeated: bool


class Astray(Exception):
    """An answer after which a client cannot go on as it meant to; the ledger knows of it."""


class Caller:
    """A client with a key."""

    def __init__(self, url: str, surface: Surface, headers: Mapping[str, str], ledger: Ledger):
        self._connection = Connection(url)
        self._surface = surface
        self._headers = headers
        self._ledger = ledger
        self._left = 0

    async def ask(
        self, operation: Operation, request: Request, *, also: int = 0, after_cut: int = 0
    ) -> Answer:
        """The answer to a request, however often it must be sent.

        Raises Astray where it is not the vendor's, or its status is neither the request's nor
        `also`, nor, where it was repeated, `after_cut`.
        """
        began = time.perf_counter()
        raw, was_repeated = await self._insist(message(request, self._headers))
        counted = "read" if request.method == "GET" else "write"
        self._ledger.seconds[counted].append(time.perf_counter() - began)
        expected = {request.status, also, *([after_cut] if was_repeated else [])}
        body, is_good = self._proved(operation, request, raw)
        if raw.status not in expected:
            promise = "broken" if raw.status >= 500 else "lost"
            self._ledger.breach(promise, f"{_told(request)}: {raw.status} {raw.body[:300]!r}")
        if raw.status not in expected or not is_good:
            raise Astray
        return Answer(raw.status, body, was_repeated)

    async def _insist(self, sent: bytes) -> tuple[Raw, bool]:
        deadline, was_repeated = time.monotonic() + PATIENCE, False
        while True:
            await self._change_connections()
            try:
                raw = await self._connection.exchange(sent)
            except Cut:
                if time.monotonic() > deadline:
                    raise
                self._ledger.counts["cut"] += 1
                was_repeated = True
                await asyncio.sleep(_BREATH_SECONDS)
                continue
            except Silent:
                self._ledger.breach("broken", f"no answer within {PATIENCE} s: {sent[:80]!r}")
                raise Astray from None
            self._ledger.counts["requests"] += 1
            if raw.status != 503:
                return raw, was_repeated
            self._unavailable(raw)
            await asyncio.sleep(int(raw.headers.get(b"retry-after", 1)))

    async def _change_connections(self) -> None:
        """Now and then, as clients do: else all would stay with the worker that lives longest."""
        if not self._left:
            await self._connection.close()
            self._left = random.randint(_FEW, _MANY)
        self._left -= 1

    def _unavailable(self, raw: Raw) -> None:
        self._ledger.counts["unavailable"] += 1
        if (
            self._surface.error_schemas[503].validate(_parsed(raw))
            or b"retry-after" not in raw.headers
        ):
            self._ledger.breach("foreign", f"503 {raw.body[:300]!r}")

    def _proved(self, operation: Operation, request: Request, raw: Raw) -> tuple[Any, bool]:
        """The body of an answer, and whether it is the vendor's JSON."""
        answers = {**self._surface.error_schemas, **operation.answers}
        schema, body = answers.get(raw.status), _parsed(raw)
        if raw.status not in answers:
            wrong: Any = "no such status is documented"
        elif schema is None:
            wrong = raw.body
        else:
            wrong = schema.validate(body)
        if wrong:
            self._ledger.breach("foreign", f"{_told(request)}: {raw.status} {wrong}")
        return body, not wrong

    async def close(self) -> None:
        await self._connection.close()


def _parsed(raw: Raw) -> Any:
    if not raw.headers.get(b"content-type", b"").startswith(b"application/json"):
        return None
    try:
        return json.loads(raw.body)
    except ValueError:
        return None


def _told(request: Request) -> str:
    return f"{request.method} {request.path}"
