"""The control plane conforms to its OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sessionary.factory import create_double
from tests.conftest import double_settings
from tests.control.conftest import Double

TOKEN = "open-sesame"
WHO = {"Authorization": f"Bearer {TOKEN}"}
DOCUMENT = "/_control/v1/openapi.json"


def test_the_document_is_valid_and_names_its_problem_documents(double: Double) -> None:
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
def test_an_id_that_is_too_large_is_not_found(
    double: Double, method: str, path: str, id: str
) -> None:
    answer = double.call(method, path.format(id))
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def _operations() -> Iterator[Any]:
    app = create_double(double_settings(max_namespaces=20, control_token=TOKEN))
    for found in schemathesis.openapi.from_wsgi(DOCUMENT, app, headers=WHO).get_all_operations():
        operation = found.ok()
        yield pytest.param(operation, id=operation.label)


@pytest.mark.parametrize("operation", list(_operations()))
def test_every_operation_conforms_to_the_openapi_document(operation: Any) -> None:
    @given(operation.as_strategy())
    @settings(max_examples=25)
    def call(case: Case) -> None:
        # A schema cannot say which names exist, nor which fields exclude each other.
        case.call_and_validate(headers=WHO, excluded_checks=[positive_data_acceptance])

    call()
