import pytest

from tests.conftest import App
from tests.surfaces.scale.conftest import Caller, violations

MAX_INTEGER = 2**63 - 1


@pytest.fixture
def seven(app: App, anyone: Caller) -> list[str]:
    """Seven sessions in three accounts, some created at the same instant."""
    for number in range(7):
        anyone.create(f"account-{number % 3}", title=str(number))
        app.advance(seconds=number % 2)
    return [str(number) for number in range(7)]


def test_a_list_without_sessions_is_an_empty_first_page(anyone: Caller) -> None:
    assert anyone.page() == {
        "items": [],
        "total_item_count": 0,
        "current_page": 1,
        "items_per_page": 100,
    }


def test_a_list_returns_each_session_exactly_as_get_does(anyone: Caller) -> None:
    session = anyone.create(start_date="2026-01-01T00:00:00Z", state={"a": [1]})
    assert anyone.page()["items"] == [session]


def test_a_list_is_in_order_of_creation_in_one_instant(anyone: Caller, seven: list[str]) -> None:
    assert anyone.titles() == seven


def test_an_earlier_created_at_comes_first_if_inserted_last(anyone: Caller) -> None:
    anyone.create(title="later")
    anyone.app.advance(days=-1)
    anyone.create(title="earlier")
    anyone.create("other", title="earlier elsewhere")
    assert anyone.titles() == ["earlier", "earlier elsewhere", "later"]
    assert anyone.titles(account_id="acme") == ["earlier", "later"]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 10_000])
def test_pages_return_every_session_once_and_the_page_after_the_last_is_empty(
    anyone: Caller, seven: list[str], limit: int
) -> None:
    walked: list[str] = []
    for number in range(1, 100):
        page = anyone.page(limit=limit, page=number)
        assert page["total_item_count"] == 7
        assert page["current_page"] == number
        assert page["items_per_page"] == limit
        if not page["items"]:
            break
        walked += [each["title"] for each in page["items"]]
    assert walked == seven


@pytest.mark.parametrize("number", [2, 3, 10**6, 2**53, MAX_INTEGER])
@pytest.mark.parametrize("limit", [7, 100, 10_000])
def test_a_page_past_the_end_is_empty_and_echoes_its_number(
    anyone: Caller, seven: list[str], number: int, limit: int
) -> None:
    page = anyone.page(page=number, limit=limit)
    assert page == {
        "items": [],
        "total_item_count": len(seven),
        "current_page": number,
        "items_per_page": limit,
    }


@pytest.mark.usefixtures("seven")
def test_account_id_filters_list_and_total(anyone: Caller) -> None:
    page = anyone.page(account_id="account-0", limit=2)
    assert [each["title"] for each in page["items"]] == ["0", "3"]
    assert page["total_item_count"] == 3
    assert anyone.titles(account_id="account-0", limit=2, page=2) == ["6"]
    assert anyone.page(account_id="account-9")["total_item_count"] == 0


@pytest.mark.parametrize(
    ("query", "place", "kind", "message"),
    [
        ("page=0", "page", "greater_than_equal", "greater than or equal to 1"),
        ("page=-1", "page", "greater_than_equal", "greater than or equal to 1"),
        ("page=x", "page", "int_parsing", "unable to parse string as an integer"),
        ("page=", "page", "int_parsing", "unable to parse string as an integer"),
        ("page=1.0", "page", "int_parsing", "unable to parse string as an integer"),
        ("page=%2B1", "page", "int_parsing", "unable to parse string as an integer"),
        ("page=९", "page", "int_parsing", "unable to parse string as an integer"),
        (f"page={MAX_INTEGER + 1}", "page", "int_parsing_size", "exceeded maximum size"),
        (f"page={'9' * 5000}", "page", "int_parsing_size", "exceeded maximum size"),
        ("limit=0", "limit", "greater_than_equal", "greater than or equal to 1"),
        ("limit=10001", "limit", "less_than_equal", "less than or equal to 10000"),
        ("limit=null", "limit", "int_parsing", "unable to parse string as an integer"),
        ("include_archived=yes", "include_archived", "bool_parsing", "unable to interpret input"),
        ("include_archived=", "include_archived", "bool_parsing", "unable to interpret input"),
        ("account_id=a%00", "account_id", "value_error", "NUL"),
    ],
)
def test_a_bad_query_is_422(
    anyone: Caller, query: str, place: str, kind: str, message: str
) -> None:
    found = violations(anyone.get(f"/v4/sessions?{query}"))
    assert list(found) == [("query", place)]
    assert found["query", place][0] == kind
    assert message in found["query", place][1]


def test_every_violation_of_a_query_is_listed(anyone: Caller) -> None:
    found = violations(anyone.get("/v4/sessions?page=0&limit=x&include_archived=2"))
    assert set(found) == {("query", "page"), ("query", "limit"), ("query", "include_archived")}


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1"])
def test_a_query_boolean_is_true_or_false_in_any_case_or_a_digit(anyone: Caller, word: str) -> None:
    anyone.delete(anyone.create(title="archived")["id"])
    assert anyone.titles(include_archived=word) == ["archived"]


@pytest.mark.parametrize("query", ["limit=1", "page=1&limit=01", "limit=5&limit=1", "x=y&limit=1"])
def test_limits_are_inclusive_the_last_value_counts_and_unknown_names_are_ignored(
    anyone: Caller, seven: list[str], query: str
) -> None:
    answer = anyone.get(f"/v4/sessions?{query}")
    assert [each["title"] for each in answer.json["items"]] == seven[:1]
