"""Schemas of responses, for OpenAPI: their members declared by type."""

from typing import Any

from marshmallow import Schema
from marshmallow import fields as base

from sessionary.web.fields import Boolean, Integer, Object, Request

_TYPES: dict[str, type[base.Field[Any]]] = {
    "text": base.String,
    "integer": Integer,
    "number": base.Float,
    "boolean": Boolean,
    "object": Object,
    "uuid": base.UUID,
    "instant": base.DateTime,
    "value": base.Raw,
}


def response_schema(
    name: str, parent: type[Schema] = Request, /, **members: str | base.Field[Any]
) -> type[Schema]:
    """Make the schema of a response, whose members are all required.

    `text="id at"` declares two texts, `text_or_null="part"` one that may be null; the same goes
    for the other types of `_TYPES`. A further keyword is a member with its own field.
    """
    found: dict[str, base.Field[Any]] = {}
    for key, value in members.items():
        if isinstance(value, str):
            kind, is_nullable = key.removesuffix("_or_null"), key.endswith("_or_null")
            for member in value.split():
                found[member] = _TYPES[kind](required=True, allow_none=is_nullable)
        else:
            found[key] = value
    return parent.from_dict(found, name=name)


def nested(schema: type[Schema]) -> base.Nested:
    """A required object of this schema."""
    return base.Nested(schema, required=True)


def items(schema: type[Schema]) -> base.List[Any]:
    """A required list of objects of this schema."""
    return base.List(base.Nested(schema), required=True)
