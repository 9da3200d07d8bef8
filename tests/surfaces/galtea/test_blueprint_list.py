"""GET /sessions: every filter in both spellings, order, pages, strict ids."""

from urllib.parse import quote

import pytest

from tests.conftest import MICROSECOND, App
from tests.identities import ANA, ZOE
from tests.surfaces.galtea.conftest import NOWHERE, Api, assert_error


def spellings(name: str, *values: str) -> list[str]:
    """The same query in each spelling."""
    plain = "&".join(f"{name}={quote(value)}" for value in values)
    brackets = "&".join(f"{name}[]={quote(value)}" for value in values)
    encoded = "&".join(f"{name}%5B%5D={quote(value)}" for value in values)
    mixed = "&".join(
        f"{name}{'[]' if place % 2 else ''}={quote(value)}" for place, value in enumerate(values)
    )
    return [plain, brackets, encoded, mixed]


def test_a_list_without_sessions_is_empty(api: Api) -> None:
    response = api.get_list()
    assert response.json == []
    assert response.content_type == "application/json"


def test_the_newest_session_comes_first_by_default(api: Api) -> None:
    ids = []
    for _ in range(3):
        ids.append(api.create()["id"])
        api.app.advance(seconds=1)
    assert api.list_ids() == api.list_ids("sort[]=createdAt&sort[]=desc") == ids[::-1]
    assert (
        api.list_ids("sort[]=createdAt&sort[]=asc")
        == api.list_ids("sort=createdAt&sort=asc")
        == ids
    )


def test_ties_are_broken_by_the_order_of_creation(api: Api) -> None:
    ids = [api.create()["id"] for _ in range(5)]
    assert api.list_ids("sort[]=createdAt&sort[]=asc") == ids
    assert api.list_ids() == ids[::-1]


def test_the_pages_together_are_the_list(api: Api) -> None:
    ids = [api.create()["id"] for _ in range(7)]
    pages = [api.list_ids(f"limit=3&offset={offset}") for offset in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [id for page in pages for id in page] == ids[::-1]


@pytest.mark.parametrize(
    "query", ["limit=1", "limit=9223372036854775807&offset=0", "offset=0", "limit=1&limit=10000"]
)
def test_the_bounds_of_a_page_are_accepted(api: Api, query: str) -> None:
    id = api.create()["id"]
    assert api.list_ids(query) == [id]


def test_an_offset_beyond_the_end_is_an_empty_list(api: Api) -> None:
    api.create()
    assert api.list_ids("offset=9223372036854775807&limit=9223372036854775807") == []


def test_without_a_limit_ten_thousand_are_listed(api: Api) -> None:
    api.create()
    with api.app.namespace.activate():
        api.app.namespace.database.run(
            """WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n
            WHERE value < 10000) INSERT INTO galtea_sessions (id, organization, version, product,
            test, is_production, status, created_at, written_at, status_since_at)
            SELECT 'copy_' || value, organization, version, product, test, is_production, status,
            created_at, written_at, status_since_at FROM galtea_sessions, n"""
        )
    assert len(api.list_ids()) == 10_000
    assert len(api.list_ids("limit=10001")) == 10_001


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=1.5", "limit=", "limit=ten", "limit=%D9%A3",
        "limit=9223372036854775808", "offset=-1", "offset=x", f"offset={'9' * 5000}",
        "fromCreatedAt=yesterday", "fromCreatedAt=2026-03-01", "toCreatedAt=2026-02-30T00:00:00Z",
        "toCreatedAt=", "fromCreatedAt=2026-03-01T12:00:00.0000000001Z", "statuses=pending",
        "statuses[]=PENDING&statuses[]=DONE", "statuses=", "sort=createdAt", "sort[]=createdAt",
        "sort[]=asc&sort[]=createdAt", "sort[]=asc&sort[]=desc", "sort[]=updatedAt&sort[]=asc",
        "sort[]=createdAt&sort[]=up", "sort[]=createdAt&sort[]=ASC",
        "sort[]=createdAt&sort[]=asc&sort[]=desc", "sort=", "commentLabels=good",
        "commentLabels[]=good", "commentLabels%5B%5D=good", "versionIds=%00",
    ],
)  # fmt: skip
def test_an_invalid_parameter_is_refused_by_its_name(api: Api, query: str) -> None:
    name = query.split("=")[0].removesuffix("[]").removesuffix("%5B%5D")
    assert_error(api.get_list(query), 400, f"{name}:")


@pytest.mark.parametrize("query", ["colour=red", "limit[]=0", "ids[0]=x", "page=2", "=", "&&"])
def test_unknown_parameters_are_ignored(api: Api, query: str) -> None:
    id = api.create()["id"]
    assert api.list_ids(query) == [id]


@pytest.mark.parametrize(
    ("name", "field"), [("customIds", "customId"), ("versionIds", "versionId")]
)
def test_a_filter_takes_one_or_more_values_in_any_spelling(api: Api, name: str, field: str) -> None:
    a, b, _ = (api.create(**{field: value})["id"] for value in ("a b&c", "ü", "other"))
    for query in spellings(name, "a b&c"):
        assert api.list_ids(query) == [a]
    for query in spellings(name, "a b&c", "ü", "unknown", "ü"):
        assert api.list_ids(query) == [b, a]
    for query in spellings(name, "unknown"):
        assert api.list_ids(query) == []


def test_sessions_are_filtered_by_the_product_of_their_version(ana: Api) -> None:
    seeded = ana.create(versionId="version_v1")["id"]
    unknown = ana.create(versionId="elsewhere")["id"]
    made = ana.create(versionId=None, productId="product_new")["id"]
    assert ana.list_ids("productIds=product_p1") == [seeded]
    assert ana.list_ids("productIds[]=product_new&productIds[]=product_p1") == [made, seeded]
    assert ana.list_ids(f"productIds=product_{'0' * 24}") == [unknown]


def test_sessions_are_filtered_by_test_case_and_by_its_test(ana: Api) -> None:
    without = ana.create()["id"]
    first = ana.create(testCaseId="testCase_t1")["id"]
    second = ana.create(testCaseId="testCase_t2")["id"]
    unknown = ana.create(testCaseId="tc_123")["id"]
    assert ana.list_ids("testCaseIds=testCase_t1&testCaseIds=tc_123") == [unknown, first]
    assert ana.list_ids("testIds=test_s1") == ana.list_ids("datasetIds=test_s1") == [first]
    assert ana.list_ids("testIds[]=test_s1&testIds[]=test_s2") == [second, first]
    assert ana.list_ids(f"testIds=test_{'0' * 24}") == [unknown]
    assert ana.list_ids("excludeTestIds=test_s1") == [unknown, second, without]
    assert ana.list_ids("testIds[]=test_s1&testIds[]=test_s2&excludeTestIds[]=test_s2") == [first]


def test_an_empty_test_id_means_without_a_test(ana: Api) -> None:
    without = ana.create()["id"]
    first = ana.create(testCaseId="testCase_t1")["id"]
    second = ana.create(testCaseId="testCase_t2")["id"]
    assert ana.list_ids("testIds=") == ana.list_ids("testIds[]=") == [without]
    assert ana.list_ids("testIds=&testIds=test_s2") == [second, without]
    assert ana.list_ids("excludeTestIds=") == [second, first]
    assert ana.list_ids("excludeTestIds[]=&excludeTestIds[]=test_s1") == [second]


def test_sessions_are_filtered_by_their_user_in_any_case(strict: App) -> None:
    ana, zoe = Api(strict, "gsk_ana-in-zeta"), Api(strict, "gsk_zoe")
    mine, theirs = (each.create(isProduction=False)["id"] for each in (ana, zoe))
    ana.create()
    assert ana.list_ids(f"userIds={ANA}") == ana.list_ids(f"userIds={ANA.upper()}") == [mine]
    assert ana.list_ids(f"userIds[]={ANA}&userIds[]={ZOE.upper()}") == [theirs, mine]


@pytest.mark.parametrize("name", ["runIds", "involvedInRunIds"])
def test_sessions_are_filtered_by_run_under_both_names(api: Api, name: str) -> None:
    one, two = (api.create(isProduction=False, runId=run)["id"] for run in ("r1", "r2"))
    api.create(isProduction=False)
    assert api.list_ids(f"{name}=r1") == [one]
    assert api.list_ids(f"{name}[]=r1&{name}[]=r2") == [two, one]
    assert api.list_ids("runIds=r1&involvedInRunIds=r2") == []


def test_statuses_are_alternatives(api: Api) -> None:
    of = {status: api.create(status=status)["id"] for status in ("PENDING", "COMPLETED", "FAILED")}
    assert api.list_ids("statuses=FAILED") == [of["FAILED"]]
    assert api.list_ids("statuses=COMPLETED") == [of["COMPLETED"]]
    assert api.list_ids("statuses[]=PENDING") == [of["PENDING"]]
    assert api.list_ids("statuses=PENDING&statuses=FAILED") == [of["FAILED"], of["PENDING"]]
    assert len(api.list_ids("statuses=PENDING&statuses=FAILED&statuses=COMPLETED")) == 3


def test_parameters_must_all_hold(api: Api) -> None:
    api.create(versionId="v1", customId="a")
    wanted = api.create(versionId="v2", customId="a")["id"]
    api.create(versionId="v2", customId="b")
    assert api.list_ids("versionIds=v2&customIds=a&statuses=PENDING") == [wanted]
    assert api.list_ids("versionIds=v2&customIds=a&statuses=FAILED") == []


@pytest.mark.parametrize("offset", ["Z", "", "%2B00:00", "%2b00:00"])
def test_bounds_of_created_at_are_inclusive_and_without_offset_utc(api: Api, offset: str) -> None:
    api.app.advance(7_000 * MICROSECOND)
    id = api.create()["id"]
    assert api.list_ids(f"fromCreatedAt=2026-03-01T12:00:00.007{offset}") == [id]
    assert api.list_ids(f"toCreatedAt=2026-03-01T12:00:00.007{offset}") == [id]
    assert api.list_ids(f"fromCreatedAt=2026-03-01T12:00:00.007001{offset}") == []
    assert api.list_ids(f"toCreatedAt=2026-03-01T12:00:00.006999{offset}") == []


def test_bounds_are_compared_beyond_the_sixth_digit_and_across_offsets(api: Api) -> None:
    id = api.create()["id"]
    assert api.list_ids("fromCreatedAt=2026-03-01T12:00:00.000000001Z") == []
    assert api.list_ids("toCreatedAt=2026-03-01T12:00:00.000000001Z") == [id]
    assert api.list_ids("fromCreatedAt=2026-03-01T11:59:59.999999999Z") == [id]
    assert api.list_ids("toCreatedAt=2026-03-01T11:59:59.999999999Z") == []
    assert api.list_ids("fromCreatedAt=2026-03-01T14:00:00%2B02:00") == [id]
    assert api.list_ids("toCreatedAt=2026-03-01T13:59:59%2B02:00") == []
    assert api.list_ids("fromCreatedAt=0001-01-01T00:00:00Z&toCreatedAt=9999-12-31T23:59:59Z") == [
        id
    ]


def test_a_list_by_ids_names_the_missing_ids(api: Api) -> None:
    one, two = api.create()["id"], api.create()["id"]
    for query in spellings("ids", one, two, one):
        assert api.list_ids(query) == [two, one]
    for query in spellings("ids", one, NOWHERE):
        response = api.get_list(query)
        assert_error(response, 404, f"Sessions not found: {NOWHERE}")
        assert one not in response.text
    assert_error(api.get_list("ids="), 404, "Sessions not found")


def test_ids_are_checked_after_the_other_filters_and_before_the_page(api: Api) -> None:
    one, two = api.create(status="FAILED")["id"], api.create()["id"]
    both = f"ids={one}&ids={two}"
    assert_error(api.get_list(f"{both}&statuses=PENDING"), 404, one)
    assert api.list_ids(f"{both}&limit=1") == [two]
    assert api.list_ids(f"{both}&limit=1&offset=1") == [one]
    assert api.list_ids(f"{both}&offset=2") == []
    assert api.list_ids(f"{both}&sort=createdAt&sort=asc") == [one, two]


def test_a_list_never_shows_another_organization(ana: Api, zoe: Api) -> None:
    id = ana.create(customId="c")["id"]
    assert zoe.list_ids() == zoe.list_ids("customIds=c") == []
    assert_error(zoe.get_list(f"ids={id}"), 404, id)
