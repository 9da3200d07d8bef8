"""With `prune_ended_days`, write requests remove the sessions that ended long ago."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from sessionary import create_app
from sessionary.durations import monotonic
from sessionary.embedded import EmbeddedServer
from sessionary.factory import auto_prune
from sessionary.factory.auto_prune import AutoPrune
from sessionary.settings import Settings
from sessionary.store import Namespace, batches
from sessionary.surfaces import SURFACES
from sessionary.web.events import RequestFinished
from tests import schema_versions
from tests.cli.test_prune import OLD
from tests.processes import TIMEOUT_SECONDS, Process, running_server
from tests.store.database_files import Command, dump, load_sample

ANA = {"Authorization": "Bearer mob_ana"}
ENOUGH = len(SURFACES)  # writes, for a batch of each surface


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return load_sample(tmp_path)


@pytest.fixture
def sessionary(db: Path) -> Command:
    return Command(db)


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
        app.extensions["sessionary"].later.finish()


def removed_paths(app: Flask, before: dict[str, Any]) -> set[str]:
    return before.keys() - schema_versions.read(app).keys()


def prunable_count(sessionary: Command) -> int:
    """Return how many sessions could be removed."""
    result = sessionary("prune", "--ended-before", "90d", "--dry-run", "--json")
    return sum(each["sessions"] for each in json.loads(result.output))


def write_finished(method: str = "POST", status: int | None = 200) -> RequestFinished:
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


def finish(
    auto: AutoPrune, namespace: Namespace, method: str = "POST", status: int | None = 200
) -> None:
    """Finish a request for each surface, and what follows it."""
    for _ in range(ENOUGH):
        auto.on_request_finished(write_finished(method, status))
        namespace.later.finish()


def test_no_response_waits_for_a_batch(
    app: Flask, monkeypatch: pytest.MonkeyPatch, namespace: Namespace
) -> None:
    may_end, prune = threading.Event(), AutoPrune._prune_batch

    def wait_and_prune(auto: AutoPrune, before_at: int) -> None:
        assert may_end.wait(TIMEOUT_SECONDS)
        prune(auto, before_at)

    monkeypatch.setattr(AutoPrune, "_prune_batch", wait_and_prune)
    before = schema_versions.read(app)
    with EmbeddedServer(app) as server:
        process = Process(None, server.url)  # type: ignore[arg-type]
        for _ in range(3):
            assert process.request("POST", "/notte/sessions/start", {}, **ANA)[0] == 200
        assert removed_paths(app, before) == set()
        may_end.set()
        namespace.later.finish()
    assert removed_paths(app, before)


def test_writes_remove_old_sessions_and_the_rest_reads_as_before(app: Flask) -> None:
    before = schema_versions.read(app)
    write(app, ENOUGH)
    after = schema_versions.read(app)
    assert before.keys() - after.keys() == OLD
    shown = [path for path in before.keys() & after.keys() if "sessions/" in path]
    assert {path: after[path] for path in shown} == {path: before[path] for path in shown}


def test_without_the_setting_nothing_is_removed(db: Path) -> None:
    app = create_app(Settings(db=str(db)))
    before = schema_versions.read(app)
    write(app, ENOUGH)
    assert removed_paths(app, before) == set()
    app.extensions["sessionary"].close()


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 422), ("POST", None)])
def test_a_read_a_refusal_and_a_failure_remove_nothing(
    db: Path, method: str, status: int | None, namespace: Namespace
) -> None:
    before = dump(db)
    auto = AutoPrune(namespace, 90)
    finish(auto, namespace, method, status)
    assert dump(db) == before


@pytest.mark.parametrize(("max_keys", "max_removed", "seconds"), [(2, 1, 1), (3, 50, 0), (7, 2, 1)])
def test_small_batches_miss_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, max_keys: int, max_removed: int, seconds: int
) -> None:
    monkeypatch.setattr(auto_prune, "_MAX_KEYS", max_keys)
    monkeypatch.setattr(auto_prune, "_MAX_REMOVED", max_removed)
    monkeypatch.setattr(batches, "_BATCH_SECONDS", seconds)
    monkeypatch.setattr(batches, "_CHUNK_SIZE", 1)
    before = schema_versions.read(app)
    write(app, 40)
    assert removed_paths(app, before) == OLD


def test_sessions_that_end_later_are_found_in_the_next_round(
    sessionary: Command, namespace: Namespace
) -> None:
    auto = AutoPrune(namespace, 90, rest_seconds=0)
    finish(auto, namespace)
    assert sessionary("clock", "advance", "200d").exit_code == 0
    assert prunable_count(sessionary)
    finish(auto, namespace)
    assert not prunable_count(sessionary)


def test_it_pauses_after_a_full_round(sessionary: Command, namespace: Namespace, db: Path) -> None:
    auto = AutoPrune(namespace, 90)
    finish(auto, namespace)
    assert sessionary("clock", "advance", "200d").exit_code == 0
    before = dump(db)
    finish(auto, namespace)
    assert dump(db) == before


def test_a_locked_database_fails_no_request_and_is_retried(
    db: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(auto_prune, "_RETRY_SECONDS", 0)
    app = create_app(Settings(db=str(db), busy_timeout_seconds=0))
    before = schema_versions.read(app)
    auto = AutoPrune(app.extensions["sessionary"], 90)
    with closing(sqlite3.connect(db)) as other:
        other.execute("BEGIN IMMEDIATE")
        finish(auto, app.extensions["sessionary"])
    assert removed_paths(app, before) == set()
    finish(auto, app.extensions["sessionary"])
    assert removed_paths(app, before) == OLD
    assert caplog.records == []
    app.extensions["sessionary"].close()


def test_an_error_of_its_own_fails_no_request_and_is_logged(
    namespace: Namespace, db: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(db)) as other:
        other.execute("DROP TABLE scale_sessions")
    finish(AutoPrune(namespace, 90), namespace)
    assert [record.message for record in caplog.records] == ["cannot prune: next attempt in 60 s"]


def test_a_server_prunes_after_writes(db: Path) -> None:
    with running_server("--db", str(db), "--prune-ended-days", "90", "--no-log-requests") as server:
        headers = {**ANA, "x-api-key": "mob_ana"}
        due = monotonic() + TIMEOUT_SECONDS
        for path in OLD:
            while server.request("GET", path, **headers)[0] != 404:
                assert monotonic() < due, path
                assert server.request("POST", "/notte/sessions/start", {}, **ANA)[0] == 200
