"""Sessions that ended long ago are removed on request, and only they."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from freezegun import freeze_time

from sessionary import create_app, store
from sessionary.settings import Settings
from sessionary.store import batches
from sessionary.surfaces import SURFACES
from tests import schema_versions
from tests.processes import running_server
from tests.store.database_files import dump, run

Command = Callable[..., Result]
# Of the fixture, whose clock stands at noon: all that ended more than 90 days ago.
OLD = {
    "/scale/v4/sessions/0b8f7a52-6f0e-4f0a-9d5c-000000000002",
    "/mobilenext/api/v1/sessions/0b8f7a52-6f0e-4f0a-9d5c-000000000023",
    "/mobilenext/api/v1/sessions/0b8f7a52-6f0e-4f0a-9d5c-000000000026",
    "/notte/sessions/0b8f7a52-6f0e-4f0a-9d5c-000000000013",
    "/notte/sessions/0b8f7a52-6f0e-4f0a-9d5c-000000000016",
    "/galtea/sessions/session_s2",
    "/galtea/sessions/session_s3",
    "/galtea/sessions/session_s5",
}


def reads(db: Path) -> dict[str, object]:
    with freeze_time(schema_versions.NOON):
        app = create_app(Settings(db=str(db)))
        found = schema_versions.read(app)
        app.extensions["sessionary"].close()
        return found


def removed(told: Result) -> dict[str, int]:
    assert told.exit_code == 0, told.output
    return {each["surface"]: each["sessions"] for each in json.loads(told.output)}


def test_what_ended_long_ago_is_removed_and_the_rest_reads_as_before(
    sessionary: Command, db: Path
) -> None:
    before = reads(db)
    told = removed(sessionary("prune", "--ended-before", "90d", "--json"))
    assert told == {"scale": 1, "mobilenext": 2, "notte": 2, "galtea": 3}
    after = reads(db)
    assert before.keys() - after.keys() == OLD
    shown = [path for path in after if "sessions/" in path]
    assert {path: after[path] for path in shown} == {path: before[path] for path in shown}
    assert sessionary("check").exit_code == 0


def test_the_totals_of_a_list_are_right_afterwards(sessionary: Command, db: Path) -> None:
    path = "/scale/v4/sessions?include_archived=true"
    assert reads(db)[path][1]["total_item_count"] == 3  # type: ignore[index]
    sessionary("prune", "--ended-before", "90d")
    page = reads(db)[path][1]  # type: ignore[index]
    assert page["total_item_count"] == len(page["items"]) == 2


def test_a_dry_run_tells_the_same_and_removes_nothing(sessionary: Command, db: Path) -> None:
    before = dump(db)
    dry = removed(sessionary("prune", "--ended-before", "90d", "--dry-run", "--json"))
    assert dump(db) == before
    assert removed(sessionary("prune", "--ended-before", "90d", "--json")) == dry


def test_a_dry_run_upgrades_nothing(sessionary: Command, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    schema_versions.load(schema_versions.fixture(1), old)
    before = old.read_bytes()
    told = sessionary("prune", "--ended-before", "90d", "--dry-run", "--db", old)
    assert told.exit_code == 1
    assert told.output.startswith(f"Error: {old} has schema version 1, this program has ")
    assert told.output.endswith(": run `sessionary migrate` first.\n")
    assert old.read_bytes() == before
    assert [each.name for each in tmp_path.glob("old*")] == ["old.sqlite3"]


def test_a_surface_that_is_named_twice_is_told_once(sessionary: Command) -> None:
    twice = ("--surface", "notte", "--surface", "notte")
    told = sessionary("prune", "--ended-before", "90d", *twice, "--dry-run", "--json")
    assert [each["surface"] for each in json.loads(told.output)] == ["notte"]


@pytest.mark.parametrize("surface", [surface.name for surface in SURFACES])
def test_one_surface_alone(sessionary: Command, db: Path, surface: str) -> None:
    before = reads(db)
    told = removed(sessionary("prune", "--ended-before", "90d", "--surface", surface, "--json"))
    assert list(told) == [surface]
    gone = before.keys() - reads(db).keys()
    assert gone == {path for path in OLD if path.startswith(f"/{surface}/")}


def test_it_is_the_namespaces_clock_that_says_how_long_ago(sessionary: Command) -> None:
    assert set(removed(sessionary("prune", "--ended-before", "101d", "--json")).values()) == {0}
    assert sessionary("clock", "advance", "10d").exit_code == 0
    told = removed(sessionary("prune", "--ended-before", "101d", "--json"))
    assert told == {"scale": 1, "mobilenext": 2, "notte": 2, "galtea": 3}


def test_what_is_running_is_never_removed(sessionary: Command, db: Path) -> None:
    sessionary("prune", "--ended-before", "0s")
    kept = {path.rpartition("/")[2][-2:] for path in reads(db) if "sessions/" in path}
    just_ended = {"87", "py"}  # at the very instant, which is not before it
    assert kept == {"01", "03", "11", "12", "21", "22", "25", "s1"} | just_ended


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--ended-before", "soon"), "--ended-before must be a duration"),
        ((), "Missing option '--ended-before'"),
        (("--ended-before", "90d", "--surface", "none"), "'none' is not one of"),
    ],
)
def test_a_mistake_removes_nothing(
    sessionary: Command, db: Path, arguments: tuple[str, ...], why: str
) -> None:
    before = dump(db)
    refused = sessionary("prune", *arguments)
    assert refused.exit_code != 0
    assert why in refused.output
    assert dump(db) == before


def test_a_turn_ends_when_its_time_is_up_and_the_next_goes_on_from_there(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_BATCH_SECONDS", 0)
    seen: list[list[int]] = []

    def find(after: int, limit: int) -> list[int]:
        return [key for key in range(1, 21) if key > after][:limit]

    def change(keys: list[int]) -> int:
        seen.append(keys)
        return len(keys)

    namespace = store.open_namespace(str(db), durability="normal")
    with namespace.activate():
        assert list(store.run_in_batches(find, change)) == [4, 4, 4, 4, 4]
    namespace.close()
    assert [key for keys in seen for key in keys] == list(range(1, 21))


def test_others_write_between_two_turns(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer who waits gets its turn before the work is done."""
    monkeypatch.setattr(batches, "_BATCH_SECONDS", 0)
    namespace = store.open_namespace(str(db), durability="normal")

    def find(after: int, _: int) -> list[int]:
        return [after + 1] if after < 10_000 else []

    def write() -> None:
        with namespace.activate(), store.transaction():
            namespace.database.run("UPDATE organization SET name = 'written meanwhile'")
        is_written.set()

    is_written = threading.Event()
    with namespace.activate():
        writer = threading.Thread(target=write)
        for number, _ in enumerate(store.run_in_batches(find, len)):
            if number == 0:
                writer.start()
            if is_written.is_set():
                break
    was_written = is_written.is_set()
    writer.join()
    namespace.close()
    assert was_written


def test_a_server_loses_nothing_and_refuses_nothing_meanwhile(
    sessionary: Command, tmp_path: Path
) -> None:
    db = tmp_path / "served.sqlite3"
    notte = {"Authorization": "Bearer anyone"}

    def ids() -> Iterator[str]:
        with running_server("--db", str(db), "--auth", "lenient", "--workers", "2") as process:
            for _ in range(20):
                status, made = process.request("POST", "/session/start", {}, **notte)
                assert status == 200
                yield made["session_id"]
            many = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                INSERT INTO notte_sessions SELECT NULL, 'old-' || i, organization, key_hash, 5, 5,
                1, NULL, 0, 9, 9, 'closed', 'manual', NULL, NULL, options FROM notte_sessions, n
                WHERE seq = 1"""
            run(db, many)
            pruned: list[dict[str, int]] = []
            arguments = ("prune", "--ended-before", "90d", "--json", "--db", str(db))
            pruning = threading.Thread(
                target=lambda: pruned.append(removed(sessionary(*arguments)))
            )
            pruning.start()
            while pruning.is_alive():
                status, made = process.request("POST", "/session/start", {}, **notte)
                assert status == 200
                yield made["session_id"]
            assert pruned[0]["notte"] == 2000

    answered = list(ids())
    with running_server("--db", str(db), "--auth", "lenient") as process:
        for id in answered:
            assert process.request("GET", f"/notte/sessions/{id}", **notte)[0] == 200
