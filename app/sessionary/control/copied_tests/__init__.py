"""A session's story as a test: the calls that made it, and what it is at an instant."""

from typing import Any

from werkzeug.wrappers import Response

from sessionary.control.blueprint import control, make_blueprint, now
from sessionary.control.fields import StrictSchema
from sessionary.control.timeline import find_session
from sessionary.web.context import settings
from sessionary.web.fields import OneOf, Text
from sessionary.web.operations import operation

routes = make_blueprint("copied_tests")


class TestQuery(StrictSchema):
    """The runner of the test."""

    format = Text(load_default="pytest", validate=OneOf(("pytest", "node")))


@routes.get("/sessions/<surface>/<session_id>/test")
@operation(
    "Get a session's calls as a test", query=TestQuery(), answers={200: None}, has_instants=True
)
def show_test(surface: str, session_id: str, query: dict[str, Any]) -> Response:
    """Return a program that makes the same calls and asserts what the session is."""
    from sessionary.control.copied_tests import node_test, pytest_test
    from sessionary.control.copied_tests.story import make_story

    surfaces = control().surfaces
    found = find_session(surfaces, session_id, control().surface(surface).name)
    story = make_story(surfaces, *found, now(), has_journal=settings().journal)
    render = node_test.render if query["format"] == "node" else pytest_test.render
    return Response(render(story), content_type="text/plain; charset=utf-8")
