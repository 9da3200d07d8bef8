"""OpenAPI 3.1 of a surface, generated from its routes and the schemas that validate them."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema

from sessionary import __version__
from sessionary.web.operations import Operation
from sessionary.web.routing import routes
from sessionary.web.surface import Surface


def describe(app: Flask, surface: Surface) -> dict[str, Any]:
    """The surface's document; its paths are the native ones, under the surface's prefix."""
    spec = APISpec(
        title=surface.title,
        version=__version__,
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
        servers=[{"url": f"/{surface.name}"}],
    )
    spec.components.security_scheme("key", dict(surface.security))
    for path, method, route in routes(app, surface):
        spec.path(path=path, operations={method: _operation(surface, path, route)})
    return dict(spec.to_dict())


def _operation(surface: Surface, path: str, route: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.name,
        "parameters": [
            *(
                {"in": "path", "name": name, "required": True, "schema": {"type": "string"}}
                for name in re.findall(r"{(\w+)}", path)
            ),
            *([{"in": "query", "schema": route.query}] if route.query else []),
            *surface.header_parameters,
        ],
        "responses": {
            **_answers(surface.error_schemas, surface.error_content_type),
            **_answers(route.answers, "application/json"),
        },
        "security": [] if route.is_open else [{"key": []}],
    }
    if route.body is not None:
        described["requestBody"] = {
            "required": any(each.required for each in route.body.fields.values()),
            "content": {"application/json": {"schema": route.body}},
        }
    return described


def _answers(schemas: Mapping[int, Schema | None], content_type: str) -> dict[str, Any]:
    """Each status with its body, where it has one."""
    answers: dict[str, Any] = {}
    for status, schema in schemas.items():
        answers[str(status)] = {"description": HTTPStatus(status).phrase}
        if schema is not None:
            answers[str(status)]["content"] = {content_type: {"schema": schema}}
    return answers


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__)
