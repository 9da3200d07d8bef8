"""v4: the list of sessions."""

from datetime import timedelta

import pytest

from sessionary.surfaces.notte import queries
from tests.conftest import NOON, App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

MICROSECOND = timedelta(microseconds=1)


def test_a_list_without_query_has_the_ten_newest_active_sessions(notte: NotteClient) -> None:
    started = []
    for _ in range(11):
        started.append(notte.start_v4()["session_id"])
        notte.app.advance(seconds=1)
    ok_json(notte.delete(f"/sessions/{started[5]}/stop"))
    page = ok_json(notte.get("/sessions/"))
    active = [each for each in reversed(started) if each != started[5]]
    assert [item["session_id"] for item in page.pop("items")] == active
    assert page == {"page": 1, "page_size": 10, "has_next": False, "has_previous": False}


def test_sessions_of_one_instant_are_listed_last_created_first(notte: NotteClient) -> None:
    started = [notte.start_v4()["session_id"] for _ in range(5)]
    assert notte.list_ids() == started[::-1]


def test_an_item_equals_the_answer_of_its_status(app: App, notte: NotteClient) -> None:
    notte.start_v4()
    notte.start()
    app.advance(seconds=90)
    items = ok_json(notte.get("/sessions/"))["items"]
    assert items == [notte.status(item["session_id"]) for item in items]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_the_pages_of_a_list_have_every_session_once(notte: NotteClient, size: int) -> None:
    started = [notte.start_v4()["session_id"] for _ in range(4)]
    walked, number = [], 1
    while True:
        page = ok_json(notte.get("/sessions/", page=number, page_size=size))
        assert (page["page"], page["page_size"]) == (number, size)
        assert page["has_previous"] is (number > 1)
        walked += [item["session_id"] for item in page["items"]]
        if not page["has_next"]:
            break
        number += 1
    assert walked == started[::-1]
    assert number == -(-4 // size)


def test_a_page_after_the_last_is_empty(notte: NotteClient) -> None:
    notte.start_v4()
    page = ok_json(notte.get("/sessions/", page=10**9))
    assert page["items"] == []
    assert (page["has_next"], page["has_previous"]) == (False, True)


@pytest.mark.parametrize("word", ["false", "False", "0", "FALSE"])
def test_without_only_active_a_list_has_all_sessions(notte: NotteClient, word: str) -> None:
    closed, left = notte.start_v4()["session_id"], notte.start_v4()["session_id"]
    ok_json(notte.delete(f"/sessions/{closed}/stop"))
    notte.app.advance(hours=1)
    active = notte.start_v4()["session_id"]
    assert notte.list_ids(only_active=word) == [active, left, closed]
    for yes in ("true", "True", "1"):
        assert notte.list_ids(only_active=yes) == [active]


def test_a_list_agrees_with_the_status_at_the_deadline(app: App, notte: NotteClient) -> None:
    idle = notte.start_v4(idle_timeout_minutes=5)["session_id"]
    limited = notte.start_v4(idle_timeout_minutes=5, max_duration_minutes=5)["session_id"]
    older = notte.start()["session_id"]
    deadline = NOON + timedelta(minutes=5)
    for instant, count in ((deadline - MICROSECOND, 3), (deadline, 3), (deadline + MICROSECOND, 0)):
        app.freeze(instant)
        listed = notte.list_ids()
        assert len(listed) == count
        for session_id in (idle, limited, older):
            is_active = notte.status(session_id)["status"] == "active"
            assert (session_id in listed) is is_active
        assert ok_json(notte.get("/health"))["active_sessions"] == count
        assert len(notte.list_ids(only_active=False)) == 3


def test_a_list_of_active_sessions_has_one_that_is_older_than_many_timed_out_ones(
    app: App, notte: NotteClient
) -> None:
    kept = notte.start()["session_id"]
    for _ in range(20):
        notte.start()
    app.advance(minutes=5)
    notte.start(session_id=kept)
    app.advance(minutes=5)
    newest = notte.start()["session_id"]
    assert notte.list_ids() == [newest, kept]


def test_a_list_of_many_active_sessions_is_complete(
    app: App, notte: NotteClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_FEW", 3)
    queries.page.cache_clear()
    try:
        for count in range(1, 7):
            notte.start()
            app.advance(seconds=1)
            assert len(notte.list_ids()) == count
    finally:
        monkeypatch.undo()
        queries.page.cache_clear()


@pytest.mark.parametrize("word", ["true", "True", "1"])
def test_a_list_of_the_current_token_has_only_the_sessions_of_that_key(
    app: App, notte: NotteClient, word: str
) -> None:
    other = NotteClient(app, key="sk-notte-rob")
    mine, theirs = notte.start_v4()["session_id"], other.start()["session_id"]
    other.start(session_id=mine)
    assert notte.list_ids(only_current_token=word) == [mine]
    assert other.list_ids(only_current_token=word) == [theirs]
    assert notte.list_ids(only_current_token=word, only_active=False) == [mine]
    assert notte.list_ids(only_current_token="False") == [theirs, mine]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"page": 0}, "greater_than_equal"),
        ({"page": -1}, "greater_than_equal"),
        ({"page": "one"}, "int_parsing"),
        ({"page": ""}, "int_parsing"),
        ({"page": "1.0"}, "int_parsing"),
        ({"page": "٣"}, "int_parsing"),
        ({"page": 10**30}, "int_parsing_size"),
        ({"page_size": 0}, "greater_than_equal"),
        ({"page_size": 101}, "less_than_equal"),
        ({"only_active": "yes"}, "bool_parsing"),
        ({"only_current_token": ""}, "bool_parsing"),
    ],
)
def test_queries_have_bounds_and_types(
    notte: NotteClient, query: dict[str, object], kind: str
) -> None:
    (found,) = error_detail(notte.get("/sessions/", **query), 422)
    assert (found["loc"], found["type"]) == (["query", *query], kind)


def test_a_list_ignores_unknown_parameters(notte: NotteClient) -> None:
    assert ok_json(notte.get("/sessions/", include_system="True", colour="blue"))["items"] == []


def test_a_list_is_served_with_and_without_a_trailing_slash(notte: NotteClient) -> None:
    session_id = notte.start()["session_id"]
    assert [item["session_id"] for item in ok_json(notte.get("/sessions"))["items"]] == [session_id]
