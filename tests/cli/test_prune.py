"""`sessionary prune` removes the sessions that ended long ago, and no others."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from freezegun import freeze_time

from sessionary import create_app
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from tests import schema_versions
from tests.processes import running_server
from tests.store.database_files import Command, dump, load_sample, run

# The sessions of the fixture that ended more than 90 days before noon, where its clock stands.
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


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return load_sample(tmp_path)


@pytest.fixture
def sessionary(db: Path) -> Command:
    return Command(db)


def reads(db: Path) -> dict[str, object]:
    with freeze_time(schema_versions.NOON):
        app = create_app(Settings(db=str(db)))
        found = schema_versions.read(app)
        app.extensions["sessionary"].close()
        return found


def removed(result: Result) -> dict[str, int]:
    assert result.exit_code == 0, result.output
    return {each["surface"]: each["sessions"] for each in json.loads(result.output)}


def test_old_sessions_go_and_the_rest_reads_as_before(sessionary: Command, db: Path) -> None:
    before = reads(db)
    counts = removed(sessionary("prune", "--ended-before", "90d", "--json"))
    assert counts == {"scale": 1, "mobilenext": 2, "notte": 2, "galtea": 3}
    after = reads(db)
    assert before.keys() - after.keys() == OLD
    shown = [path for path in after if "sessions/" in path]
    assert {path: after[path] for path in shown} == {path: before[path] for path in shown}
    assert sessionary("check").exit_code == 0


def test_list_totals_are_right_after_a_prune(sessionary: Command, db: Path) -> None:
    path = "/scale/v4/sessions?include_archived=true"
    assert reads(db)[path][1]["total_item_count"] == 3  # type: ignore[index]
    sessionary("prune", "--ended-before", "90d")
    page = reads(db)[path][1]  # type: ignore[index]
    assert page["total_item_count"] == len(page["items"]) == 2


def test_a_dry_run_reports_the_same_and_removes_nothing(sessionary: Command, db: Path) -> None:
    before = dump(db)
    dry = removed(sessionary("prune", "--ended-before", "90d", "--dry-run", "--json"))
    assert dump(db) == before
    assert removed(sessionary("prune", "--ended-before", "90d", "--json")) == dry


def test_a_dry_run_upgrades_nothing(sessionary: Command, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    schema_versions.load(schema_versions.fixture(1), old)
    before = old.read_bytes()
    counts = sessionary("prune", "--ended-before", "90d", "--dry-run", "--db", old)
    assert counts.exit_code == 1
    assert counts.output.startswith(f"Error: {old} has schema version 1, this program has ")
    assert counts.output.endswith(": run `sessionary migrate` first.\n")
    assert old.read_bytes() == before
    assert [each.name for each in tmp_path.glob("old*")] == ["old.sqlite3"]


def test_a_surface_named_twice_is_listed_once(sessionary: Command) -> None:
    twice = ("--surface", "notte", "--surface", "notte")
    counts = sessionary("prune", "--ended-before", "90d", *twice, "--dry-run", "--json")
    assert [each["surface"] for each in json.loads(counts.output)] == ["notte"]


@pytest.mark.parametrize("surface", [surface.name for surface in SURFACES])
def test_one_surface_can_be_pruned_alone(sessionary: Command, db: Path, surface: str) -> None:
    before = reads(db)
    counts = removed(sessionary("prune", "--ended-before", "90d", "--surface", surface, "--json"))
    assert list(counts) == [surface]
    gone = before.keys() - reads(db).keys()
    assert gone == {path for path in OLD if path.startswith(f"/{surface}/")}


def test_the_clock_of_the_namespace_decides_what_is_old(sessionary: Command) -> None:
    assert set(removed(sessionary("prune", "--ended-before", "101d", "--json")).values()) == {0}
    assert sessionary("clock", "advance", "10d").exit_code == 0
    counts = removed(sessionary("prune", "--ended-before", "101d", "--json"))
    assert counts == {"scale": 1, "mobilenext": 2, "notte": 2, "galtea": 3}


def test_open_sessions_are_never_removed(sessionary: Command, db: Path) -> None:
    def kept() -> set[str]:
        return {path.rpartition("/")[2][-3:] for path in reads(db) if "sessions/" in path}

    open_or_later = {"001", "003", "011", "012", "021", "022", "025", "_s1"}
    sessionary("prune", "--ended-before", "0s")
    just_ended = kept() - open_or_later  # at the very instant, which is not before it
    assert (len(just_ended), kept()) == (2, open_or_later | just_ended)
    sessionary("clock", "advance", "1us")
    sessionary("prune", "--ended-before", "0s")
    assert kept() == open_or_later


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--ended-before", "soon"), "'--ended-before': 'soon' must be a duration"),
        ((), "Missing option '--ended-before'"),
        (("--ended-before", "90d", "--surface", "none"), "'none' is not one of"),
    ],
)
def test_an_invalid_option_removes_nothing(
    sessionary: Command, db: Path, arguments: tuple[str, ...], why: str
) -> None:
    before = dump(db)
    refused = sessionary("prune", *arguments)
    assert refused.exit_code != 0
    assert why in refused.output
    assert dump(db) == before


def test_a_prune_loses_and_refuses_nothing_of_a_server(sessionary: Command, tmp_path: Path) -> None:
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
                1, NULL, 0, 9, 9, 'closed', 'manual', NULL, NULL, options, 9 FROM notte_sessions, n
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
