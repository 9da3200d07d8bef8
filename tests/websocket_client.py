"""A WebSocket client that sends exact frames, for what no library would send."""

import json
import socket
import ssl
import struct
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.raw_http import RawConnection, Response, connect

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
_MASK = b"abcd"
KEY = b64encode(b"0123456789abcdef").decode()


def handshake(path: str = "/ws", **headers: str) -> bytes:
    """Return a request for a WebSocket; an underscore in a header's name is a hyphen."""
    given = {
        "Host": "here",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    fields = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
    return f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode()


def frame(opcode: int, payload: bytes = b"", *, is_final: bool = True) -> bytes:
    """Return a masked frame."""
    size = len(payload)
    length = (
        bytes([0x80 | size])
        if size < 126
        else b"\xfe" + struct.pack("!H", size)
        if size < 65_536
        else b"\xff" + struct.pack("!Q", size)
    )
    masked = bytes(each ^ _MASK[index % 4] for index, each in enumerate(payload))
    return bytes([(0x80 if is_final else 0) | opcode]) + length + _MASK + masked


class WebSocketClient:
    """An open WebSocket."""

    def __init__(self, raw: RawConnection) -> None:
        self.raw = raw
        self.send = raw.send
        self._count = 0

    def read_frame(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame, which must be a whole message."""
        first, size = self.raw.read.read(2)
        assert first & 0xF0 == 0x80, "final, and no reserved bit"
        if size == 126:
            (size,) = struct.unpack("!H", self.raw.read.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.raw.read.read(8))
        return first & 0x0F, self.raw.read.read(size)

    def read_text(self) -> str:
        opcode, payload = self.read_frame()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    def read_close(self) -> int:
        """Return the code of the close that comes next; nothing may follow it."""
        opcode, payload = self.read_frame()
        assert opcode == CLOSE, (opcode, payload)
        assert self.raw.read_to_end() == b""
        return int(struct.unpack("!H", payload[:2])[0])

    def call(self, method: str, params: Any = None, **more: Any) -> dict[str, Any]:
        """Call a method of JSON-RPC and return the whole answer."""
        self._count += 1
        request = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        self.send(frame(TEXT, json.dumps(request | more).encode()))
        answer: dict[str, Any] = json.loads(self.read_text())
        assert answer.keys() - {"result", "error"} == {"jsonrpc", "id"}
        assert answer["id"] == more.get("id", self._count)
        return answer

    def result(self, method: str, **params: Any) -> Any:
        """Return the result of a call."""
        answer = self.call(method, params)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, **params: Any) -> tuple[int, str]:
        """Return the code and the data of a call's error."""
        error = self.call(method, params)["error"]
        return error["code"], error["data"]

    def shutdown(self) -> None:
        self.raw.socket.shutdown(socket.SHUT_WR)


@contextmanager
def open_websocket(
    url: str, path: str = "/ws", *, trust: ssl.SSLContext | None = None, **headers: str
) -> Iterator[WebSocketClient]:
    """Open a WebSocket at the path, with TLS if there is something to trust."""
    with connect(url, trust) as raw:
        response = send_handshake(raw, path, **headers)
        assert response.status == 101, response
        yield WebSocketClient(raw)


def send_handshake(raw: RawConnection, path: str = "/ws", **headers: str) -> Response:
    raw.send(handshake(path, **headers))
    return raw.expect_response()
