"""The control plane conforms to its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from sessionary.control import close_namespaces
from sessionary.factory import create_double
from tests.conftest import double_settings
from tests.control.conftest import Double

TOKEN = "open-sesame"
WHO = {"Authorization": f"Bearer {TOKEN}"}
DOCUMENT = "/_control/v1/openapi.json"


def test_the_document_is_valid_and_names_its_problem_documents(double: Double) -> None:
    import schemathesis  # takes a second

    document = double.get("/openapi.json")
    schemathesis.openapi.from_dict(document).validate()
    for item in document["paths"].values():
        for operation in item.values():
            refused = operation["responses"]["400"]["content"]
            assert list(refused) == ["application/problem+json"]


@pytest.mark.parametrize(
    "id", ["9223372036854775808", "9" * 5000, "٣"], ids=["long", "huge", "other"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/faults/{}"),
        ("DELETE", "/faults/{}"),
        ("GET", "/journal/{}"),
        ("GET", "/journal/{}/explain"),
    ],
)
def test_a_too_large_id_is_not_found(double: Double, method: str, path: str, id: str) -> None:
    answer = double.call(method, path.format(id))
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def _operations() -> Iterator[Any]:
    """The path and method of each operation."""
    app = create_double(double_settings(control_token=TOKEN))
    document = app.test_client().get(DOCUMENT, headers=WHO).json
    for path, item in document["paths"].items():
        for method in map(str.upper, item):
            yield pytest.param(path, method, id=f"{method} {path}")
    close_namespaces(app)


@pytest.fixture(scope="module")
def schema() -> Iterator[Any]:
    import schemathesis

    app = create_double(double_settings(max_namespaces=20, control_token=TOKEN))
    yield schemathesis.openapi.from_wsgi(DOCUMENT, app, headers=WHO)
    close_namespaces(app)


@pytest.mark.parametrize(("path", "method"), list(_operations()))
def test_every_operation_conforms_to_the_document(schema: Any, path: str, method: str) -> None:
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    @given(schema[path][method].as_strategy())
    @settings(max_examples=25)
    def call(case: Any) -> None:
        # A schema cannot say which names exist, nor which fields exclude each other.
        case.call_and_validate(headers=WHO, excluded_checks=[positive_data_acceptance])

    call()
