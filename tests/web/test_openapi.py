import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings

from sessionary import Settings, create_app, identity, make_settings
from sessionary.surfaces import SURFACES
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface
from tests.conftest import App

EXAMPLES = 25

each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


WEBSOCKET = "/ws"  # OpenAPI does not describe it


def routes(flask_app: Flask, prefix: str) -> set[tuple[str, str]]:
    """Path and method of every route below a prefix, as OpenAPI writes them."""
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(prefix)), method.lower())
        for rule in flask_app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if rule.rule.startswith(prefix + "/") and not rule.rule.endswith("/openapi.json")
    }


@each_surface
def test_the_document_describes_every_route_and_no_other(app: App, surface: Surface) -> None:
    document = app.client.get(f"/{surface.name}/openapi.json").json
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    found = routes(app.flask_app, f"/{surface.name}")
    assert described == {(path, method) for path, method in found if path != WEBSOCKET}


@each_surface
def test_every_route_loads_its_input_by_the_documented_schemas(app: App, surface: Surface) -> None:
    for rule in app.flask_app.url_map.iter_rules():
        if rule.rule.startswith(f"/{surface.name}/") and not rule.rule.endswith(
            ("/openapi.json", WEBSOCKET)
        ):
            assert isinstance(app.flask_app.view_functions[rule.endpoint], Operation), rule


@each_surface
def test_the_native_paths_are_the_same_routes(app: App, surface: Surface) -> None:
    prefixed = routes(app.flask_app, f"/{surface.name}")
    native = {
        (path, method)
        for path, method in routes(app.flask_app, "")
        if path.split("/")[1] in surface.root_segments
    }
    shared = {(path, method) for path, method in prefixed if path.split("/")[1] == "sessions"}
    assert native == (prefixed - shared if surface.name == "notte" else prefixed)


@each_surface
def test_the_document_is_open_and_valid(app: App, surface: Surface) -> None:
    answer = app.client.get(f"/{surface.name}/openapi.json")
    assert answer.status_code == 200
    assert answer.json["openapi"] == "3.1.0"
    assert answer.json["info"]["title"] == surface.title
    import schemathesis  # takes a second

    schemathesis.openapi.from_dict(answer.json).validate()


def test_galteas_document_is_also_at_the_root(app: App) -> None:
    at_root = app.client.get("/openapi.json")
    assert at_root.json == app.client.get("/galtea/openapi.json").json


@each_surface
@pytest.mark.parametrize("mount", ["", "/mounted"])
def test_the_answer_at_the_prefix_links_to_the_document(
    app: App, surface: Surface, mount: str
) -> None:
    for path in (f"/{surface.name}", f"/{surface.name}/"):
        link = app.client.get(path, environ_overrides={"SCRIPT_NAME": mount}).headers["Link"]
        assert link == f'<{mount}/{surface.name}/openapi.json>; rel="service-desc"'
    assert "Link" not in app.client.get(f"/{surface.name}/unknown").headers


@each_surface
def test_every_operation_documents_its_errors(app: App, surface: Surface) -> None:
    document = app.client.get(f"/{surface.name}/openapi.json").json
    for item in document["paths"].values():
        for operation in item.values():
            assert {"401", "404", "413", "500", "503"} <= operation["responses"].keys()


def _operations() -> Iterator[Any]:
    """The surface, path and method of each operation."""
    flask_app = create_app(Settings(db=":memory:", auth="lenient", durability="off"))
    for surface in SURFACES:
        document = flask_app.test_client().get(f"/{surface.name}/openapi.json").json
        for path, item in document["paths"].items():
            for method in map(str.upper, item):
                id = f"{surface.name} {method} {path}"
                yield pytest.param(surface.name, path, method, id=id)
    flask_app.extensions["sessionary"].close()


@pytest.fixture(scope="module")
def schemas() -> Iterator[dict[str, tuple[Any, str]]]:
    """By surface: its schema, and a key for the application that responds."""
    import schemathesis

    schemas = {}
    with ExitStack() as stack:
        for surface in SURFACES:
            flask_app = create_app(Settings(db=":memory:", auth="lenient", durability="off"))
            flask_app.config["SESSIONARY"] = make_settings(db=":memory:", auth="strict")
            stack.callback(flask_app.extensions["sessionary"].close)
            with flask_app.extensions["sessionary"].activate():
                key = identity.create_key("", user=identity.owner(), surface=surface.name)
            api = schemathesis.openapi.from_wsgi(f"/{surface.name}/openapi.json", flask_app)
            schemas[surface.name] = (api, key.secret)
        yield schemas


@pytest.mark.parametrize(("surface", "path", "method"), list(_operations()))
def test_a_call_as_documented_is_answered_as_documented(
    schemas: dict[str, tuple[Any, str]], surface: str, path: str, method: str
) -> None:
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema, key = schemas[surface]
    credentials = {"Authorization": f"Bearer {key}", "x-api-key": key}

    @given(schema[path][method].as_strategy())
    @settings(max_examples=EXAMPLES)
    def call(case: Any) -> None:
        # A schema cannot say what two fields must be to each other: some that fit are refused.
        case.call_and_validate(headers=credentials, excluded_checks=[positive_data_acceptance])

    call()
