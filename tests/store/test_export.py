"""Export to JSON Lines, and import."""

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from freezegun import freeze_time

from sessionary import create_app
from sessionary.factory import SCHEMA
from sessionary.settings import Settings
from tests import schema_versions
from tests.processes import COMMAND, running_server
from tests.store.database_files import Command, dump, leave_wal


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "arrival" / "new.sqlite3"


@pytest.fixture
def exported(sessionary: Command, tmp_path: Path) -> Path:
    assert sessionary("export", tmp_path / "everything.jsonl").exit_code == 0
    return tmp_path / "everything.jsonl"


def test_what_is_imported_equals_what_was_exported_row_for_row(
    sessionary: Command, db: Path, exported: Path, new: Path
) -> None:
    output = sessionary("import", exported, "--db", new).output
    lines = exported.read_text().splitlines()
    assert output == f"Imported {len(lines) - 2} rows into {new}\n"
    assert dump(new) == dump(db)
    assert sessionary("export", "--db", new).output.splitlines() == lines


def test_imported_sessions_read_as_before(sessionary: Command, exported: Path, new: Path) -> None:
    sessionary("import", exported, "--db", new)
    with freeze_time(schema_versions.NOON):
        app = create_app(Settings(db=str(new)))
        expected = schema_versions.fixtures()[-1].with_suffix(".json").read_text()
        assert schema_versions.read(app) == json.loads(expected)
        app.extensions["sessionary"].close()


def test_an_export_can_be_piped_into_an_import(db: Path, new: Path) -> None:
    script = '"$0" export --db "$1" | "$0" import - --db "$2"'
    subprocess.run(["sh", "-ec", script, COMMAND, db, new], check=True, stdout=subprocess.DEVNULL)
    assert dump(new) == dump(db)


def test_an_export_replaces_a_file_only_with_force(sessionary: Command, exported: Path) -> None:
    before = exported.read_text()
    exported.write_text("precious")
    assert "use --force" in sessionary("export", exported).output
    assert exported.read_text() == "precious"
    assert sessionary("export", exported, "--force").exit_code == 0
    assert exported.read_text() == before


def test_an_existing_database_is_replaced_only_with_force_and_kept(
    sessionary: Command, db: Path, exported: Path, new: Path
) -> None:
    create_app(Settings(db=str(new), auth="lenient")).extensions["sessionary"].close()
    before = dump(new)
    assert "use --force" in sessionary.refusal("import", exported, "--db", new)
    assert dump(new) == before
    output = sessionary("import", exported, "--db", new, "--force").output
    assert dump(new) == dump(db)
    assert dump(Path(output.strip().rpartition(" ")[2])) == before


def test_an_import_ignores_the_wal_of_an_earlier_database(
    sessionary: Command, db: Path, exported: Path, new: Path
) -> None:
    new.parent.mkdir()
    shutil.copy(db, new)
    leave_wal(new, "earlier")
    new.unlink()
    assert sessionary("import", exported, "--db", new).exit_code == 0
    assert dump(new) == dump(db)


def test_a_database_that_is_served_is_not_replaced(
    sessionary: Command, exported: Path, new: Path
) -> None:
    with running_server("--db", str(new)):
        refused = sessionary("import", exported, "--db", new, "--force")
    assert "is open in another process" in refused.output


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_an_import_and_leaves_nothing_of_it(
    new: Path, number: signal.Signals, code: int
) -> None:
    with importing(new, COMMAND) as process:
        process.send_signal(number)
        assert process.wait() == code
    assert list(new.parent.iterdir()) == []


def test_an_import_under_nohup_outlives_its_terminal(new: Path) -> None:
    with importing(new, "sh", "-c", """trap '' HUP; exec "$0" "$@" """, COMMAND) as process:
        process.send_signal(signal.SIGHUP)
        process.communicate('"}}\n' + "\n".join(map(json.dumps, [*NEEDED, {"rows": 3}])))
        assert process.returncode == 0
    assert len(dump(new)["organization"]) == 1


@contextmanager
def importing(new: Path, *command: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start an import that waits for the end of a row longer than a pipe's buffer."""
    with subprocess.Popen(
        [*command, "import", "-", "--db", new],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        row = json.dumps(organization(name="n" * 999_999)).removesuffix('"}}')
        process.stdin.write(f"{json.dumps(FIRST)}\n{row}")
        process.stdin.flush()
        yield process


NEEDED = [
    {"table": "mint", "row": {"id": 1, "seed": None, "count": 0}},
    {
        "table": "clock",
        "row": dict.fromkeys(("id", "world_at", "wall_at", "rate", "began_at"), 1)
        | {"mode": "real", "moves": 0},
    },
]
FIRST = {"sessionary": "export", "schema_version": SCHEMA.version}
ACME = {"seq": 1, "id": "a", "created_at": 5, "name": "A"}


def organization(**values: object) -> dict[str, object]:
    return {"table": "organization", "row": ACME | values}


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "it is cut off after 0 rows"),
        (["not json"], "line 1: not a JSON object"),
        (["\xff"], "line 1: not a JSON object"),
        (["[" * 100_000], "line 1: not a JSON object"),
        (["5"], "line 1: not a JSON object"),
        ([organization()], "line 1: not an export of Sessionary"),
        ([{**FIRST, "schema_version": 7}], "line 1: it was exported with schema version 7"),
        ([FIRST, organization()], "it is cut off after 1 rows"),
        ([FIRST, *NEEDED[:1], {"rows": 1}], "the rows do not match: clock does not have the one"),
        ([FIRST, organization(), {"rows": 2}], "it is cut off after 1 rows"),
        ([FIRST, {"rows": 0}, organization()], "line 3: there is more after the last line"),
        ([FIRST, {"table": "sqlite_master", "row": {}}], "line 2: unknown table"),
        ([FIRST, {"table": ["key"], "row": {}}], "line 2: unknown table"),
        ([FIRST, organization(extra=1)], "line 2: a row of organization has the columns seq, id"),
        ([FIRST, {"table": "organization", "row": [1]}], "line 2: a row of organization has"),
        ([FIRST, organization(name=5)], "line 2: organization.name cannot be 5"),
        ([FIRST, organization(created_at="x")], "line 2: organization.created_at cannot be 'x'"),
        ([FIRST, organization(created_at=True)], "organization.created_at cannot be True"),
        ([FIRST, organization(created_at=2**63)], "line 2: an integer has more than 64 bits;"),
        ([FIRST, organization(name=None)], "line 2: NOT NULL constraint failed"),
        ([FIRST, organization(name="\ud83d")], "line 2: a text is not valid Unicode;"),
        ([FIRST, organization(), organization()], "line 3: UNIQUE constraint failed"),
        (
            [
                FIRST,
                {"table": "membership", "row": {"user": "u", "organization": "a", "role": "r"}},
            ],
            "line 2: FOREIGN KEY constraint failed",
        ),
    ],
)
def test_invalid_lines_are_refused_by_number_and_nothing_is_created(
    sessionary: Command, tmp_path: Path, new: Path, lines: list[object], why: str
) -> None:
    file = tmp_path / "broken.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts), encoding="latin-1")
    assert why in sessionary.refusal("import", file, "--db", new)
    assert list(new.parent.iterdir()) == []
