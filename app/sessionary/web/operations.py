"""A route's contract in one place: the schemas that load what it takes also describe it."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response

from sessionary.web import json_codec
from sessionary.web.fields import Problem, problems


class Invalid(Exception):
    """A request whose query or body does not fit; every problem is listed."""

    def __init__(self, found: list[Problem]) -> None:
        super().__init__("; ".join(each.text for each in found))
        self.problems = found


class Operation:
    """A view that is called with its loaded `query` and `body`, and knows what it answers."""

    def __init__(
        self,
        view: Callable[..., Response],
        summary: str,
        answers: Mapping[int, Schema | None],
        query: Schema | None,
        body: Schema | None,
        is_open: bool,
    ) -> None:
        functools.update_wrapper(self, view)
        self.name = view.__name__
        self.view = view
        self.summary = summary
        self.answers = answers
        self.query = query
        self.body = body
        self.is_open = is_open

    def __call__(self, **values: Any) -> Response:
        problems = self.load(values)
        if problems:
            raise Invalid(problems)
        return self.view(**values)

    def load(self, values: dict[str, Any]) -> list[Problem]:
        """Add to `values` what the request at hand asks for. Gives all that is wrong with it."""
        found: list[Problem] = []
        query, body = self.query, self.body
        if query is not None:
            values["query"] = _load(lambda: _asked(query, request.query_string), "query", found)
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
) -> Callable[[Callable[..., Response]], Operation]:
    """Make an Operation of a view; the view takes its path's values, then `query` and `body`.

    An answer without a schema has no body; an open operation needs no key.
    """

    def of(view: Callable[..., Response]) -> Operation:
        return Operation(view, summary, answers, query, body, is_open)

    return of


@functools.lru_cache(maxsize=128)
def _asked(schema: Schema, _: bytes) -> Any:
    """What the request's query asks for, which its text alone decides: who polls repeats it.

    What is returned is kept, so no view may change it. Each parameter's last value, or all of them
    where the schema asks for a list. `ids[]` is read as `ids` is: a schema whose vendor writes
    lists so finds them under that name.
    """
    values = request.args.to_dict(flat=False)
    lists = {
        each.data_key or name for name, each in schema.fields.items() if hasattr(each, "inner")
    }
    return schema.load(
        {
            name: found if name.removesuffix("[]") in lists else found[-1]
            for name, found in values.items()
        }
    )


def read_object() -> dict[str, Any]:
    """The request's JSON object; no body at all is an empty one.

    Raises BadDocument, also for a body that is not declared as JSON, and 413 for a large one.
    """
    body = _body()
    if not body:
        return {}
    if not request.is_json:
        raise json_codec.BadDocument("the content type must be application/json")
    return json_codec.parse(body)


def _body() -> bytes:
    """Of a body in chunks Flask reads no more than the limit, and would not miss the rest."""
    most, rest = request.max_content_length, b""
    try:
        body = request.get_data(cache=False)
        if len(body) == most and request.content_length is None:
            rest = request.environ["wsgi.input"].read(1)
    except HTTPException:
        raise
    except Exception as error:  # each server has its own for what is no chunk
        raise json_codec.BadDocument("the body cannot be read") from error
    if rest:
        raise RequestEntityTooLarge
    return body


def answer(value: Any, status: int = 200) -> Response:
    """A JSON response."""
    return Response(json_codec.to_bytes(value), status, content_type="application/json")
