"""The `operation` decorator: loads query and body by schemas, which OpenAPI shows."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response as FlaskResponse
from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from sessionary.web import json_codec, spool
from sessionary.web.fields import Problem, problems
from sessionary.web.held import IS_ABORTED, LOAD, MEDIUM

_OBJECT = "sessionary.object"  # environ key: the body, which can be read once


class Invalid(Exception):
    """A request with an invalid query or body; lists every problem."""

    def __init__(self, found: list[Problem]) -> None:
        super().__init__("; ".join(each.text for each in found))
        self.problems = found


@dataclass(eq=False)
class Operation:
    """A view with the schemas of its query, body and responses."""

    view: Callable[..., Response]
    summary: str
    answers: Mapping[int, Schema | None]
    query: Schema | None
    body: Schema | None
    is_open: bool
    is_read: bool
    has_instants: bool
    resource: str | None
    command: str | None

    def __post_init__(self) -> None:
        functools.update_wrapper(self, self.view)
        self.name = self.view.__name__

    def __call__(self, **values: Any) -> Response:
        problems = self.load(values)
        if problems:
            raise Invalid(problems)
        return self.view(**values)

    def load(self, values: dict[str, Any]) -> list[Problem]:
        """Load query and body into `values`; return every problem."""
        found: list[Problem] = []
        query, body = self.query, self.body
        if query is not None:
            text = request.query_string
            values["query"] = _load(lambda: _load_query(query, text), "query", found)
        if body is not None:
            values["body"] = _load(lambda: body.load(read_object()), "body", found)
        return found


def _load(load: Callable[[], Any], where: str, found: list[Problem]) -> Any:
    try:
        return load()
    except ValidationError as error:
        found += problems(error, where)
    except json_codec.NotAnObject as error:
        found.append(Problem("document_type", str(error), where=where))
    except json_codec.BadDocument as error:
        found.append(Problem("document", str(error), where=where))
    return None


def operation(
    summary: str,
    *,
    answers: Mapping[int, Schema | None],
    query: Schema | None = None,
    body: Schema | None = None,
    is_open: bool = False,
    is_read: bool = False,
    has_instants: bool = False,
    resource: str | None = None,
    command: str | None = None,
) -> Callable[[Callable[..., Response]], Operation]:
    """Decorate a view: it is called with the path's values, then the loaded `query` and `body`.

    `answers` has the schema of each status, None for no body. An open operation needs no key;
    one that reads changes nothing, whatever its method is. Only those of the control plane that
    have instants take `Sessionary-At`; every read of a vendor does. `resource` and `command` are
    what clients made from the OpenAPI document call it (`tags` and `x-cli-name`).
    """

    def decorate(view: Callable[..., Response]) -> Operation:
        return Operation(
            view, summary, answers, query, body, is_open, is_read, has_instants, resource, command
        )

    return decorate


@functools.lru_cache(maxsize=128)
def _load_query(schema: Schema, _: bytes) -> Any:
    """Load the query, cached by its text: clients that poll repeat it. Views must not change it.

    A parameter has its last value, or all values where the schema has a list. `ids[]` is a list if
    the schema has a list `ids`.
    """
    values: dict[str, Any] = request.args.to_dict(flat=False)
    found = schema.fields.items()
    lists = {each.data_key or name for name, each in found if hasattr(each, "inner")}
    for name, given in values.items():
        if name.removesuffix("[]") not in lists:
            values[name] = given[-1]
    return schema.load(values)


def read_object() -> dict[str, Any]:
    """The JSON object of the request; empty without a body. Raises BadDocument and 413."""
    if _OBJECT not in request.environ:
        request.environ[_OBJECT] = _read_object()
    found: dict[str, Any] = request.environ[_OBJECT]
    return found


def _read_object() -> dict[str, Any]:
    body = _body()
    if not body:
        return {}
    if not request.is_json:
        raise json_codec.BadDocument("the content type must be application/json")
    return json_codec.parse(body)


def _body() -> bytes:
    """Read the body. Flask cuts a chunked body at the limit without an error."""
    limit, rest = request.max_content_length, b""
    try:
        body = request.get_data(cache=False)
        if len(body) == limit and request.content_length is None:
            rest = request.environ["wsgi.input"].read(1)
    except HTTPException:
        raise
    except Exception as error:  # each server has its own error for a bad chunk
        raise json_codec.BadDocument("the body cannot be read") from error
    if rest:
        raise RequestEntityTooLarge
    return body


def answer(value: Any, status: int = 200) -> Response:
    """A JSON response."""
    body = json_codec.to_bytes(value)
    if len(body) > spool.MEMORY_BYTES:
        return answer_body(spool.keep(body), status)
    return FlaskResponse(body, status, content_type="application/json")


def answer_page(page: Iterable[Any]) -> Response:
    """A JSON response with a list of any length.

    `page` is a `map` of the items, or has the names and values of an object's members, where a
    `map` is a list. A page that is large is encoded item by item, so that it is never in memory.
    """
    load = request.environ.get(LOAD)
    if load is not None:
        is_aborted = request.environ.get(IS_ABORTED, bool)
        pieces = json_codec.page_pieces(page)
        return answer_body(spool.collect(pieces, is_medium=load == MEDIUM, is_aborted=is_aborted))
    return answer(json_codec.page_value(page))


def answer_body(
    body: bytes | spool.Spool, status: int = 200, content_type: str = "application/json"
) -> Response:
    """A response of encoded bytes, in memory or in a file."""
    if isinstance(body, bytes):
        return FlaskResponse(body, status, content_type=content_type)
    headers = {"Content-Length": str(len(body))}
    return FlaskResponse(body, status, headers, content_type=content_type, direct_passthrough=True)
