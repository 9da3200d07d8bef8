"""Concurrent calls on a real file."""

from itertools import count
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.surfaces.concurrency import THREADS, run_concurrently
from tests.surfaces.galtea.conftest import Api


@pytest.fixture
def caller(make_file_app: MakeApp) -> Any:
    """Make a client for a thread; all share one namespace with a real clock."""
    app = make_file_app()
    app.use_real_clock()
    return lambda: Api(app)


def statuses(responses: list[TestResponse]) -> list[int]:
    return sorted(response.status_code for response in responses)


def test_one_of_many_concurrent_creates_with_a_custom_id_succeeds(caller: Any) -> None:
    for round_ in range(10):
        responses = run_concurrently(
            lambda _, name=f"c{round_}": caller().post(versionId="v", customId=name)
        )
        assert statuses(responses) == [201] + [400] * (THREADS - 1)
    assert len(caller().list_ids()) == 10


def test_one_of_many_concurrent_patches_to_a_custom_id_succeeds(caller: Any) -> None:
    ids = [caller().create()["id"] for _ in range(THREADS)]
    responses = run_concurrently(lambda number: caller().patch(ids[number], customId="c"))
    assert statuses(responses) == [200] + [400] * (THREADS - 1)
    assert len(caller().list_ids("customIds=c")) == 1


def test_one_of_many_concurrent_deletes_succeeds(caller: Any) -> None:
    for _ in range(5):
        id = caller().create()["id"]
        responses = run_concurrently(lambda _, id=id: caller().delete(id))
        assert statuses(responses) == [204] + [404] * (THREADS - 1)


def test_overlapping_batches_delete_all_or_nothing(caller: Any) -> None:
    ids = [caller().create()["id"] for _ in range(THREADS + 1)]
    responses = run_concurrently(lambda number: caller().delete_batch(ids[number : number + 2]))
    deleted = {
        id
        for number, response in enumerate(responses)
        if response.status_code == 204
        for id in ids[number : number + 2]
    }
    assert {response.status_code for response in responses} <= {204, 404}
    assert set(caller().list_ids()) == set(ids) - deleted


def test_concurrent_patches_of_different_fields_all_hold(caller: Any) -> None:
    fields: list[dict[str, Any]] = [
        {"customId": "c"},
        {"context": {"value": "words"}},
        {"metadata": {"a": 1}},
        {"error": "e"},
        {"stoppingReason": "s"},
        {"status": "FAILED"},
    ]
    for _ in range(5):
        id = caller().create()["id"]
        run_concurrently(lambda number, id=id: caller().patch(id, **fields[number]), len(fields))
        shown = caller().get(id).json
        assert all(shown[name] == value for each in fields for name, value in each.items())
        caller().delete(id)


def test_one_product_gets_one_version_by_default(caller: Any) -> None:
    responses = run_concurrently(lambda _: caller().post(productId="p"))
    assert len({response.json["versionId"] for response in responses}) == 1


def test_no_answered_call_is_lost_and_none_fails(caller: Any) -> None:
    def work(number: int) -> list[str]:
        api = caller()
        ids = [api.create(metadata={"by": number})["id"] for _ in range(20)]
        for id in ids:
            assert api.patch(id, error=str(number)).status_code == 200
        return ids

    made = {id for ids in run_concurrently(work) for id in ids}
    shown = caller().get_list().json
    assert {each["id"] for each in shown} == made
    assert all(each["error"] == str(each["metadata"]["by"]) for each in shown)


def test_the_pages_of_a_list_have_each_older_session_once_during_creates(caller: Any) -> None:
    older = [caller().create(versionId="old")["id"] for _ in range(30)]

    def work(number: int) -> list[str]:
        api = caller()
        if number:
            return [api.create(versionId="new")["id"] for _ in range(20)]
        walked: list[str] = []
        for offset in count(step=7):
            page = api.list_ids(f"versionIds=old&limit=7&offset={offset}&sort=createdAt&sort=asc")
            if not page:
                return walked
            walked += page
        raise AssertionError

    assert run_concurrently(work)[0] == older


def test_new_sessions_never_appear_after_listed_ones(caller: Any) -> None:
    def work(number: int) -> list[str]:
        api = caller()
        if number:
            return [api.create()["id"] for _ in range(15)]
        seen: list[str] = []
        for _ in range(30):
            listed = api.list_ids("sort=createdAt&sort=asc")
            assert listed[: len(seen)] == seen
            seen = listed
        return seen

    run_concurrently(work, 4)
    assert len(caller().list_ids()) == 45
