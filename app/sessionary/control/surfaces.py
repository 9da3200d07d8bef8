"""The `/surfaces` resource: each vendor's statuses and their meanings, routes, and first calls."""

from typing import Any

from flask import request
from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.fields import response_schema
from sessionary.web.fields import OneOf, Text
from sessionary.web.operations import answer, operation
from sessionary.web.responses import items
from sessionary.web.surface import MEANINGS, Surface

_NO_KEY = "YOUR_KEY"  # a server does not know its keys
routes = make_blueprint("surfaces")
StatusMeaning = response_schema(
    "StatusMeaning", text="name", meaning=Text(required=True, validate=OneOf(MEANINGS))
)
RouteResponse = response_schema("RouteResponse", text="method route")
# `example` has texts by language: curl, and that of the vendor's client. `forced` lists what
# sessions can be forced to.
SurfaceResponse = response_schema(
    "SurfaceResponse",
    text="name title",
    statuses=items(StatusMeaning),
    forced=fields.List(Text(), required=True),
    routes=items(RouteResponse),
    environment=fields.Dict(keys=fields.String(), values=fields.String(), required=True),
    example=fields.Dict(keys=fields.String(), values=fields.String(), required=True),
)


@routes.get("/surfaces")
@operation("List the vendors' APIs", answers={200: SurfaceResponse(many=True)})
def list_surfaces() -> Response:
    return answer([_to_json(surface) for surface in control().surfaces])


def _to_json(surface: Surface) -> dict[str, Any]:
    key = {} if control().namespaces is not None else {"key": _NO_KEY}
    server_url = request.host_url.rstrip("/") + _mount_path()
    access = surface.sdk.access(server_url, store.current_namespace().name, **key)
    words = {"url": access.url.removesuffix(f"/{surface.name}"), "key": access.key}
    routes = [(each.method, each.path) for each in control().routes.routes(surface)]
    if surface.messages is not None:
        routes += [("WS", name) for name in sorted(surface.messages.routes)]
    return {
        "name": surface.name,
        "title": surface.title,
        "statuses": [
            {"name": name, "meaning": meaning}
            for name, meaning in surface.sessions.statuses.items()
        ],
        "forced": list(surface.sessions.forced_states),
        "routes": [{"method": method, "route": route} for method, route in routes],
        "environment": dict(surface.sdk.variables(access)),
        "example": {
            "curl": f"curl {surface.example.format(**words)}",
            **{name: text.format(**words) for name, text in surface.sdk_examples.items()},
        },
    }


def _mount_path() -> str:
    """The path that the server is mounted at, without the prefix of a namespace."""
    root, name = request.script_root, store.current_namespace().name
    return root.rpartition("/~")[0] if root.rpartition("/")[2].startswith(f"~{name}") else root
