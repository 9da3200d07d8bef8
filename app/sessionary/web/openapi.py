"""The OpenAPI 3.1 document of a surface, and its routes in OpenAPI's notation."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask
from marshmallow import Schema

from sessionary import __version__
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def path_template(rule: str) -> str:
    """A Flask rule in OpenAPI's notation: `/sessions/{session_id}`."""
    return _PARAMETER.sub(r"{\1}", rule)


def routes(app: Flask, surface: Surface) -> Iterator[tuple[str, str, Operation]]:
    """The path template, method and operation of each route of a surface."""
    prefix = f"/{surface.name}"
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        if rule.rule.startswith(prefix + "/") and isinstance(view, Operation):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield path_template(rule.rule[len(prefix) :]), method.lower(), view


def describe(app: Flask, surface: Surface) -> dict[str, Any]:
    """The surface's document; its server is the surface's prefix, its paths are the vendor's."""
    from apispec import APISpec  # only the first request for a document needs it
    from apispec.ext.marshmallow import MarshmallowPlugin

    spec = APISpec(
        title=surface.title,
        version=__version__,
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=lambda schema: type(schema).__name__)],
        servers=[{"url": f"/{surface.name}"}],
    )
    spec.components.security_scheme("key", dict(surface.security))
    for path, method, route in routes(app, surface):
        spec.path(path=path, operations={method: _operation(surface, path, route)})
    return dict(spec.to_dict())


def _operation(surface: Surface, path: str, route: Operation) -> dict[str, Any]:
    operation: dict[str, Any] = {
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
            **_responses(surface.error_schemas, surface.error_content_type),
            **_responses(route.answers, "application/json"),
        },
        "security": [] if route.is_open else [{"key": []}],
    }
    if route.resource is not None:
        operation["tags"] = [route.resource]
    if route.command is not None:
        operation["x-cli-name"] = route.command
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(each.required for each in route.body.fields.values()),
            "content": {"application/json": {"schema": route.body}},
        }
    return operation


def _responses(schemas: Mapping[int, Schema | None], content_type: str) -> dict[str, Any]:
    """Response objects by status; a body only where there is a schema."""
    responses: dict[str, Any] = {}
    for status, schema in schemas.items():
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if schema is not None:
            responses[str(status)]["content"] = {content_type: {"schema": schema}}
    return responses
