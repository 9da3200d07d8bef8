"""A connection of HTTP/1.1 that is kept open, and made anew when it was cut."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.requests import Request

PATIENCE = 60  # seconds; who waits longer for an answer waits in vain


class Cut(Exception):
    """The connection ended before the answer had come: whether it was done is not known."""


class Silent(Exception):
    """No answer came, though the connection stayed."""


class Raw(NamedTuple):
    """An answer as it came; names of headers are in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


def message(request: Request, headers: Mapping[str, str]) -> bytes:
    """A request as it is sent."""
    content = request.content()
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: soak"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    if content is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (content or b"")


class Connection:
    """One client's connection; opened at its first use and after each cut."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._where = (address.hostname, address.port)
        self._read: asyncio.StreamReader | None = None
        self._write: asyncio.StreamWriter | None = None

    async def exchange(self, sent: bytes) -> Raw:
        """Send a request and give its answer. Raises Cut and Silent, after which it is closed."""
        try:
            async with asyncio.timeout(PATIENCE):
                read, write = await self._opened()
                write.write(sent)
                raw = await _answer(read)
        except TimeoutError:
            await self.close()
            raise Silent from None
        except (OSError, EOFError) as error:
            await self.close()
            raise Cut from error
        if raw.headers.get(b"connection") == b"close":
            await self.close()
        return raw

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._read is None or self._write is None:
            self._read, self._write = await asyncio.open_connection(*self._where)
        return self._read, self._write

    async def close(self) -> None:
        if self._write is not None:
            self._write.close()
            with suppress(OSError):
                await self._write.wait_closed()
        self._read = self._write = None


async def _answer(read: asyncio.StreamReader) -> Raw:
    head = await read.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")[:-2]
    pairs = (line.lower().partition(b":") for line in lines[1:])
    headers = {name: value.strip() for name, _, value in pairs}
    body = await read.readexactly(int(headers.get(b"content-length", 0)))
    return Raw(int(lines[0].split()[1]), headers, body)
