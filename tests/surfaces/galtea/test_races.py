"""Concurrent calls on a real file."""

from typing import Any

import pytest

from tests.conftest import MakeApp
from tests.surfaces.concurrency import THREADS, run_concurrently
from tests.surfaces.galtea.conftest import Api


@pytest.fixture
def caller(make_file_app: MakeApp) -> Any:
    """Make a client for a thread; all share one namespace with a real clock."""
    app = make_file_app()
    app.use_real_clock()
    return lambda: Api(app)


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


def test_one_product_gets_one_version_by_default(caller: Any) -> None:
    responses = run_concurrently(lambda _: caller().post(productId="p"))
    assert len({response.json["versionId"] for response in responses}) == 1
