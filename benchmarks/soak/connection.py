"""A keep-alive HTTP/1.1 connection that reconnects after it was lost."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.requests import Request

TIMEOUT_SECONDS = 60  # for a response


class ConnectionLost(Exception):
    """The connection ended before the response; the request may have been carried out."""


class NoResponse(Exception):
    """No response came on an open connection."""


class RawResponse(NamedTuple):
    """A response; header names in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


def message(request: Request, headers: Mapping[str, str]) -> bytes:
    """Serialize a request."""
    content = request.content()
    lines = [f"{request.method} {request.path} HTTP/1.1", "Host: soak"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    if content is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (content or b"")


class Connection:
    """The connection of one client; opened at its first use and after each loss."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._where = (address.hostname, address.port)
        self._read: asyncio.StreamReader | None = None
        self._write: asyncio.StreamWriter | None = None

    async def exchange(self, sent: bytes) -> RawResponse:
        """Send a request; return the response. Raises ConnectionLost and NoResponse."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                read, write = await self._open()
                write.write(sent)
                raw = await _read_response(read)
        except TimeoutError:
            await self.close()
            raise NoResponse from None
        except (OSError, EOFError) as error:
            await self.close()
            raise ConnectionLost from error
        if raw.headers.get(b"connection") == b"close":
            await self.close()
        return raw

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._read is None or self._write is None:
            self._read, self._write = await asyncio.open_connection(*self._where)
        return self._read, self._write

    async def close(self) -> None:
        if self._write is not None:
            self._write.close()
            with suppress(OSError):
                await self._write.wait_closed()
        self._read = self._write = None


async def _read_response(read: asyncio.StreamReader) -> RawResponse:
    head = await read.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")[:-2]
    pairs = (line.lower().partition(b":") for line in lines[1:])
    headers = {name: value.strip() for name, _, value in pairs}
    body = await read.readexactly(int(headers.get(b"content-length", 0)))
    return RawResponse(int(lines[0].split()[1]), headers, body)
