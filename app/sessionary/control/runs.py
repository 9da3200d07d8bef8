"""The `/run` and `/ids` resources: the recorded run of a namespace, and its sequence of ids."""

from typing import Any

from marshmallow import fields
from werkzeug.wrappers import Response

from sessionary import ids, store
from sessionary.control.blueprint import control, make_blueprint
from sessionary.control.errors import ApiError
from sessionary.control.fields import StrictSchema, response_schema
from sessionary.web.fields import Bounds, Integer, Text
from sessionary.web.operations import answer, answer_body, operation

JSON_LINES = "application/jsonl"
routes = make_blueprint("runs")


class IdsRequest(StrictSchema):
    """The seed of ids, and how many of its ids are passed over."""

    seed = Text(required=True)
    count = Integer(load_default=0, validate=Bounds(0))


IdsResponse = response_schema(
    "IdsResponse", integer="count", seed=fields.String(required=True, allow_none=True)
)


@routes.get("/run")
@operation("Get the recorded run", answers={200: None})
def get_run() -> Response:
    """Return the lines of the run so far."""
    namespace = store.current_namespace()
    if namespace.recording is None:
        raise ApiError(
            409,
            f"namespace {namespace.name!r} is not recorded: create it with "
            '{"record": true}, or start the double with --record',
        )
    return answer_body(namespace.recording.contents(), content_type=JSON_LINES)


@routes.put("/ids")
@operation("Seed the ids", body=IdsRequest(), answers={200: IdsResponse()})
def seed_ids(body: dict[str, Any]) -> Response:
    """Derive all further ids from a seed."""
    if control().namespaces is None:
        raise ApiError(409, "a server takes no seed of ids: its keys could be guessed")
    if ids.seed_text() != body["seed"]:
        ids.seed(body["seed"])
    ids.set_count(body["count"])
    return answer({"seed": ids.seed_text(), "count": ids.count()})
