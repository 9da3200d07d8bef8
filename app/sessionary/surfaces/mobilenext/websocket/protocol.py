"""JSON-RPC 2.0 as Mobile Next's clients speak it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from marshmallow import Schema

from sessionary.web import json_codec

_MESSAGES = {
    -32700: "Parse error",
    -32600: "Invalid Request",
    -32601: "Method not found",
    -32602: "Invalid params",
    -32603: "Internal error",
    -32000: "Server error",
    -32001: "Unauthorized",
}
_CODES = {400: -32602, 401: -32001, 500: -32603}  # of REST; the others are -32000


class RpcError(Exception):
    """An error of JSON-RPC; its `data` is a text, since mobilecli reads no other."""

    def __init__(self, code: int, data: str, id: Any = None) -> None:
        super().__init__(data)
        self.code = code
        self.id = id

    def body(self, id: Any) -> dict[str, Any]:
        error = {"code": self.code, "message": _MESSAGES[self.code], "data": str(self)}
        return {"jsonrpc": "2.0", "id": id, "error": error}


class Call(NamedTuple):
    """A request of JSON-RPC."""

    id: Any
    method: str
    params: dict[str, Any]


class Method(NamedTuple):
    """A method: `answer(params)` returns its result, and the session's id if there is one."""

    answer: Callable[[dict[str, Any]], tuple[Any, str | None]]
    params: Schema | None = None


def parse(body: bytes, *, is_text: bool = True) -> Call:
    """Read a message. Raises RpcError."""
    if not is_text:
        raise RpcError(-32600, "only text messages accepted for requests")
    try:
        found = json_codec.parse(body)
    except json_codec.NotAnObject:
        raise RpcError(-32600, "a request must be an object; batches are not supported") from None
    except json_codec.BadDocument:
        raise RpcError(-32700, "expecting jsonrpc payload") from None
    return _check(found)


def _check(found: dict[str, Any]) -> Call:
    id, method, params = (found.get(name) for name in ("id", "method", "params"))
    if isinstance(id, bool) or not isinstance(id, str | int | float):
        raise RpcError(-32600, "'id' is required: a string or a number")
    if found.get("jsonrpc") != "2.0":
        raise RpcError(-32600, "'jsonrpc' must be '2.0'", id)
    if not isinstance(method, str) or not method:
        raise RpcError(-32600, "'method' is required", id)
    if params is not None and not isinstance(params, dict):
        raise RpcError(-32602, "params: must be an object", id)
    return Call(id, method, params or {})


def read(body: bytes) -> tuple[str | None, Any]:
    """Return the method and the parameters of a message; no method if it is not a request."""
    try:
        call = parse(body)
    except RpcError:
        return None, None
    return call.method, call.params


def error_of_status(status: int, message: str) -> RpcError:
    """Return the error for a refusal of REST."""
    code = _CODES.get(status, -32000)
    return RpcError(code, "Something went wrong" if status == 500 else message)


def error_of_response(body: bytes, status: int, response: bytes) -> dict[str, Any]:
    """Return the error with which a message is answered, by the response of REST."""
    id = None
    try:
        id = parse(body).id
        message = json_codec.parse(response)["error"]["message"]
    except RpcError as error:
        id, message = error.id, str(error)
    except (json_codec.BadDocument, KeyError, TypeError):
        message = "The request was refused."
    return error_of_status(status, message).body(id)
