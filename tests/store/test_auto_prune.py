"""A server that is told to removes what ended long ago, with the writes of its clients."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from sessionary import create_app
from sessionary.factory import auto_prune
from sessionary.factory.auto_prune import AutoPrune
from sessionary.settings import Settings
from sessionary.store import Namespace, batches
from sessionary.surfaces import SURFACES
from sessionary.web.events import RequestFinished
from tests import schema_versions
from tests.processes import running_server
from tests.store.database_files import dump
from tests.store.test_prune import OLD

Command = Callable[..., Result]
ANA = {"Authorization": "Bearer mob_ana"}
ENOUGH = len(SURFACES)  # writes, for a piece of each surface


@pytest.fixture
def app(db: Path) -> Iterator[Flask]:
    app = create_app(Settings(db=str(db), prune_ended_days=90))
    yield app
    app.extensions["sessionary"].close()


@pytest.fixture
def namespace(app: Flask) -> Namespace:
    namespace: Namespace = app.extensions["sessionary"]
    return namespace


def write(app: Flask, times: int) -> None:
    for _ in range(times):
        assert (
            app.test_client().post("/notte/sessions/start", json={}, headers=ANA).status_code == 200
        )


def gone(app: Flask, before: dict[str, Any]) -> set[str]:
    return before.keys() - schema_versions.read(app).keys()


def left(sessionary: Command) -> int:
    """How many sessions there are to be removed."""
    told = sessionary("prune", "--ended-before", "90d", "--dry-run", "--json")
    return sum(each["sessions"] for each in json.loads(told.output))


def answered(method: str = "POST", status: int | None = 200) -> RequestFinished:
    return RequestFinished(
        request_id="a",
        surface="notte",
        method=method,
        route="/sessions/start",
        status=status,
        seconds=0.0,
        organization=None,
        failure=None,
    )


def test_writes_remove_what_ended_long_ago_and_the_rest_reads_as_before(app: Flask) -> None:
    before = schema_versions.read(app)
    write(app, ENOUGH)
    after = schema_versions.read(app)
    assert before.keys() - after.keys() == OLD
    shown = [path for path in before.keys() & after.keys() if "sessions/" in path]
    assert {path: after[path] for path in shown} == {path: before[path] for path in shown}


def test_nobody_removes_anything_who_was_not_told_to(db: Path) -> None:
    app = create_app(Settings(db=str(db)))
    before = schema_versions.read(app)
    write(app, ENOUGH)
    assert gone(app, before) == set()
    app.extensions["sessionary"].close()


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 422), ("POST", None)])
def test_a_read_a_refusal_and_a_failure_remove_nothing(
    db: Path, method: str, status: int | None, namespace: Namespace
) -> None:
    before = dump(db)
    some = AutoPrune(namespace, 90)
    for _ in range(ENOUGH):
        some.on_request_finished(answered(method, status))
    assert dump(db) == before


@pytest.mark.parametrize(("looked_at", "removed", "seconds"), [(2, 1, 1), (3, 50, 0), (7, 2, 1)])
def test_small_pieces_miss_none(
    app: Flask, monkeypatch: pytest.MonkeyPatch, looked_at: int, removed: int, seconds: int
) -> None:
    monkeypatch.setattr(auto_prune, "_MAX_KEYS", looked_at)
    monkeypatch.setattr(auto_prune, "_MAX_REMOVED", removed)
    monkeypatch.setattr(batches, "_BATCH_SECONDS", seconds)
    monkeypatch.setattr(batches, "_CHUNK_SIZE", 1)
    before = schema_versions.read(app)
    write(app, 40)
    assert gone(app, before) == OLD


def test_what_ends_later_is_found_when_all_is_gone_through_again(
    sessionary: Command, namespace: Namespace
) -> None:
    some = AutoPrune(namespace, 90, rest_seconds=0)
    for _ in range(ENOUGH):
        some.on_request_finished(answered())
    assert sessionary("clock", "advance", "200d").exit_code == 0
    assert left(sessionary)
    for _ in range(ENOUGH):
        some.on_request_finished(answered())
    assert not left(sessionary)


def test_it_rests_when_all_was_gone_through(
    sessionary: Command, namespace: Namespace, db: Path
) -> None:
    some = AutoPrune(namespace, 90)
    for _ in range(ENOUGH):
        some.on_request_finished(answered())
    assert sessionary("clock", "advance", "200d").exit_code == 0
    before = dump(db)
    for _ in range(ENOUGH):
        some.on_request_finished(answered())
    assert dump(db) == before


def test_a_database_that_cannot_be_written_just_then_fails_nobody_and_is_tried_again(
    db: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(auto_prune, "_RETRY_SECONDS", 0)
    app = create_app(Settings(db=str(db), busy_timeout_seconds=0))
    before = schema_versions.read(app)
    some = AutoPrune(app.extensions["sessionary"], 90)
    with closing(sqlite3.connect(db)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(ENOUGH):
            some.on_request_finished(answered())
    assert gone(app, before) == set()
    for _ in range(ENOUGH):
        some.on_request_finished(answered())
    assert gone(app, before) == OLD
    assert caplog.records == []
    app.extensions["sessionary"].close()


def test_a_fault_of_its_own_fails_nobody_and_is_told(
    namespace: Namespace, db: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(db)) as other:
        other.execute("DROP TABLE scale_sessions")
    AutoPrune(namespace, 90).on_request_finished(answered())
    assert [record.message for record in caplog.records] == ["cannot prune: next attempt in 60 s"]


def test_a_server_does_it_too(db: Path) -> None:
    with running_server("--db", str(db), "--prune-ended-days", "90", "--no-log-requests") as server:
        for _ in range(ENOUGH):
            assert server.request("POST", "/notte/sessions/start", {}, **ANA)[0] == 200
        for path in OLD:
            headers = {**ANA, "x-api-key": "mob_ana"}
            assert server.request("GET", path, **headers)[0] == 404, path
