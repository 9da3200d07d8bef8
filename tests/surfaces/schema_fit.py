"""Serialized values, compared with the schemas that OpenAPI shows."""

from typing import Any

from marshmallow import Schema, fields


def assert_fits_schema(schema: Schema, shown: dict[str, Any]) -> None:
    """Assert that every required field is there and no unknown one, each of its type."""
    assert schema.validate(shown) == {}
    found = {each.data_key or name: each for name, each in schema.fields.items()}
    required = {name for name, each in found.items() if each.required}
    assert required <= shown.keys() <= found.keys()
    for name, value in shown.items():
        field = found[name]
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested) and value is not None:
            for each in value if isinstance(value, list) else [value]:
                assert_fits_schema(inner.schema, each)
