"""Versions, products, test cases and tests: assumed, seeded, or strict."""

from typing import Any

import pytest

from tests.conftest import MakeApp
from tests.seed_rows import row
from tests.surfaces.galtea.conftest import SEED, Api, assert_error

NOBODYS_PRODUCT = f"product_{'0' * 24}"
NOBODYS_TEST = f"test_{'0' * 24}"
each_kind = pytest.mark.parametrize("kind", ["versions", "testCases", "tests"])


@pytest.fixture
def strict_api(make_app: MakeApp) -> Api:
    """Ana's client under galtea_references = strict."""
    app = make_app(auth="strict", galtea_references="strict")
    app.seed(SEED)
    return Api(app, "gsk_ana")


def ask(api: Api, path: str) -> Any:
    response = api.call("GET", f"/galtea/{path}")
    assert response.status_code == 200, response.text
    return response.json


@pytest.mark.parametrize(
    ("path", "facts"),
    [
        ("versions/ver_123", {"name": "ver_123", "productId": NOBODYS_PRODUCT}),
        ("testCases/tc_123", {"testId": NOBODYS_TEST}),
        ("tests/t_1", {"name": "t_1"}),
    ],
)
def test_an_assumed_reference_is_named_after_its_id_and_has_an_unknown_parent(
    api: Api, path: str, facts: dict[str, str]
) -> None:
    shown = ask(api, path)
    shown.pop("createdAt")
    assert shown == {"id": path.split("/")[1], **facts}


@each_kind
def test_an_assumed_reference_was_created_when_the_namespace_began(api: Api, kind: str) -> None:
    first = ask(api, f"{kind}/x")["createdAt"]
    api.app.advance(days=5)
    assert ask(api, f"{kind}/x")["createdAt"] == ask(api, f"{kind}?ids=y")[0]["createdAt"] == first


@each_kind
@pytest.mark.parametrize(
    "query", ["ids=b&ids=a&ids=b", "ids[]=b&ids[]=a", "ids%5B%5D=b&ids%5B%5D=a"]
)
def test_each_id_is_answered_once_in_the_given_order(api: Api, kind: str, query: str) -> None:
    assert [each["id"] for each in ask(api, f"{kind}?{query}")] == ["b", "a"]


@each_kind
@pytest.mark.parametrize("query", ["", "?productIds[]=p&names[]=n", "?ids[]=%00"])
def test_a_list_of_references_needs_ids(api: Api, kind: str, query: str) -> None:
    assert_error(api.call("GET", f"/galtea/{kind}{query}"), 400, "ids")


def test_seeded_references_are_shown(ana: Api) -> None:
    assert ask(ana, "versions/version_v1") == {
        "id": "version_v1",
        "name": "first",
        "productId": "product_p1",
        "createdAt": "2026-02-27T12:00:00.000Z",
    }
    assert ask(ana, "tests/test_s1") == {
        "id": "test_s1",
        "name": "Refunds",
        "createdAt": "2026-03-01T12:00:00.000Z",
    }
    assert ask(ana, "testCases/testCase_t1") == {
        "id": "testCase_t1",
        "testId": "test_s1",
        "context": {"persona": "impatient"},
        "createdAt": "2026-03-01T12:00:00.000Z",
    }


def test_a_list_has_seeded_and_assumed_references(ana: Api) -> None:
    shown = ask(ana, "versions?ids=elsewhere&ids=version_v1")
    assert [each["productId"] for each in shown] == [NOBODYS_PRODUCT, "product_p1"]


def test_a_reference_of_another_organization_counts_as_unknown(ana: Api, zoe: Api) -> None:
    assert ask(zoe, "versions/version_of_zeta")["productId"] == "product_p1"
    assert ask(ana, "versions/version_of_zeta")["productId"] == NOBODYS_PRODUCT
    assert zoe.create(testCaseId="testCase_of_zeta")["context"] == {"value": "theirs"}
    assert ana.create(testCaseId="testCase_of_zeta")["context"] is None


@pytest.mark.parametrize(
    ("test_case", "context"),
    [("testCase_t1", {"persona": "impatient"}), ("testCase_t2", None), ("tc_123", None)],
)
def test_a_session_copies_the_context_of_its_test_case(
    ana: Api, test_case: str, context: Any
) -> None:
    assert ana.create(testCaseId=test_case)["context"] == context


def test_a_product_resolves_to_its_latest_version(ana: Api) -> None:
    assert ana.create(versionId=None, productId="product_p1")["versionId"] == "version_v2"


def test_the_latest_version_is_the_one_that_the_organization_sees(zoe: Api) -> None:
    assert zoe.create(versionId=None, productId="product_p1")["versionId"] == "version_of_zeta"


def test_the_later_of_two_versions_of_one_instant_is_the_latest(ana: Api) -> None:
    ana.app.seed(row("galtea.versions", 'id = "a"') + row("galtea.versions", 'id = "b"'))
    assert ana.create(versionId=None, productId="p")["versionId"] == "b"


def test_a_version_wins_over_a_product(ana: Api) -> None:
    created = ana.create(versionId="version_v1", productId="product_new")
    assert created["versionId"] == "version_v1"
    assert ana.list_ids("productIds=product_new") == []


def test_a_product_without_a_version_gets_one_by_default_and_keeps_it(api: Api) -> None:
    first = api.create(versionId=None, productId="p")["versionId"]
    assert first.startswith("version_")
    assert len(first) == 32
    assert api.create(versionId=None, productId="p")["versionId"] == first
    assert ask(api, f"versions/{first}") == {
        "id": first,
        "name": "v1",
        "productId": "p",
        "createdAt": "2026-03-01T12:00:00.000Z",
    }


def test_a_version_made_by_default_belongs_to_one_organization(ana: Api, zoe: Api) -> None:
    mine = ana.create(versionId=None, productId="p")["versionId"]
    theirs = zoe.create(versionId=None, productId="p")["versionId"]
    assert mine != theirs
    assert ask(zoe, f"versions/{mine}")["productId"] == NOBODYS_PRODUCT


def test_a_refused_session_makes_no_version(api: Api) -> None:
    assert_error(api.post(productId="p", status="x"), 400, "status")
    assert_error(api.post(productId="p", testCaseId="tc", context=""), 400, "context")
    assert api.rows() == []


@pytest.mark.parametrize(
    ("fields", "saying"),
    [
        ({"versionId": "elsewhere"}, "Version not found: elsewhere"),
        ({"versionId": "version_of_zeta"}, "Version not found: version_of_zeta"),
        ({"productId": "elsewhere"}, "Product not found: elsewhere"),
        ({"versionId": "version_v1", "testCaseId": "tc"}, "Test case not found: tc"),
        (
            {"versionId": "version_v1", "testCaseId": "testCase_of_zeta"},
            "Test case not found: testCase_of_zeta",
        ),
    ],
)
def test_an_unknown_reference_of_a_session_is_404_in_strict_mode(
    strict_api: Api, fields: dict[str, str], saying: str
) -> None:
    before = strict_api.rows()
    assert_error(strict_api.post(**fields), 404, saying)
    assert strict_api.rows() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"versionId": "version_v1"},
        {"productId": "product_p1"},
        {"versionId": "version_v1", "testCaseId": "testCase_t1"},
        {"versionId": "version_v1", "productId": "elsewhere"},
    ],
)
def test_known_references_are_taken_in_strict_mode(strict_api: Api, fields: dict[str, str]) -> None:
    assert strict_api.post(**fields).status_code == 201


@each_kind
def test_an_unknown_id_is_404_and_not_in_a_list_in_strict_mode(strict_api: Api, kind: str) -> None:
    assert_error(strict_api.call("GET", f"/{kind}/elsewhere"), 404, "not found: elsewhere")
    assert ask(strict_api, f"{kind}?ids=elsewhere") == []


def test_a_list_has_only_known_references_in_strict_mode(strict_api: Api) -> None:
    query = "versions?ids=version_v2&ids=elsewhere&ids=version_of_zeta&ids=version_v1"
    assert [each["id"] for each in ask(strict_api, query)] == ["version_v2", "version_v1"]
    assert ask(strict_api, "tests/test_s2")["name"] == "test_s2"


def test_a_filter_by_an_unknown_reference_gives_no_session_in_strict_mode(strict_api: Api) -> None:
    strict_api.create(versionId="version_v1")
    assert strict_api.list_ids("versionIds=elsewhere") == []


def test_invalid_input_is_refused_before_its_references_are_looked_up(strict_api: Api) -> None:
    assert_error(
        strict_api.post(versionId="elsewhere", testCaseId="tc", isProduction=True), 400, "isProd"
    )
