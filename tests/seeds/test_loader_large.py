"""Large seeds: the number of statements, and what others write while one is applied."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sessionary.seeds import loader
from tests.conftest import EPOCH, MICROSECOND, NOON, App, MakeApp
from tests.seed_rows import ID, row
from tests.seeds.large_seeds import ACME, TABLES, make_rows


def count_statements(app: App, text: str) -> int:
    seen: list[str] = []
    with app.namespace.activate():
        connection = app.namespace.connection()
    connection.set_trace_callback(seen.append)
    app.seed(text)
    connection.set_trace_callback(None)
    return len(seen)


@pytest.mark.parametrize("table", TABLES)
def test_the_number_of_statements_does_not_grow_with_the_rows(
    make_app: MakeApp, tmp_path: Path, table: str
) -> None:
    counts = []
    for count in (4, 400):
        text = make_rows(table, count)
        for db in (":memory:", str(tmp_path / f"{count}.sqlite3")):
            app = make_app(db=db)
            counts.append([count_statements(app, text) for _ in range(2)])
    assert counts[:2] == counts[2:]


Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something done once, after the next seed is planned and before it is written."""

    def arrange(act: Callable[[], Any]) -> None:
        write = loader._write

        def act_and_write(plan: Any) -> None:
            monkeypatch.setattr(loader, "_write", write)
            act()
            write(plan)

        monkeypatch.setattr(loader, "_write", act_and_write)

    return arrange


HOLDER = row("mobilenext.sessions", f'id = "{ID[:-1]}%d"; created_ago = "3h"')
CUSTOM = row("galtea.sessions", 'id = "s%d"; custom_id = "c"')
RELEASED = HOLDER + 'released_ago = "3h"\n'


@pytest.mark.parametrize("table", TABLES)
def test_a_seed_that_another_process_applies_meanwhile_is_applied_once(
    app: App, make_app: MakeApp, meanwhile: Meanwhile, table: str
) -> None:
    text, alone = make_rows(table, 3), make_app()
    alone.seed(text)
    meanwhile(lambda: app.seed(text))
    app.seed(text)
    assert {name: len(rows) for name, rows in app.all_rows().items()} == {
        name: len(rows) for name, rows in alone.all_rows().items()
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HOLDER, "number 1, line .*: device 'emulator-5554' is held by another session"),
        (CUSTOM, "number 1, line .*: A Session with the same customId: 'c'"),
    ],
)
def test_what_another_process_has_taken_meanwhile_is_refused(
    app: App, meanwhile: Meanwhile, text: str, why: str
) -> None:
    app.seed(ACME)
    meanwhile(lambda: app.seed(text % 1))
    with pytest.raises(loader.BadSeed, match=why):
        app.seed(text % 2)
    before = app.all_rows()
    app.seed(text % 1)
    assert app.all_rows() == before


def test_a_created_at_that_is_taken_meanwhile_is_followed_by_the_next(
    app: App, meanwhile: Meanwhile
) -> None:
    app.seed(ACME)
    meanwhile(lambda: app.seed(RELEASED % 1))
    app.seed(RELEASED % 2)
    one, two = (row[6] for row in app.rows("mobilenext_sessions"))
    assert two == one + 1


def test_the_instants_of_a_seed_follow_a_clock_that_is_moved_meanwhile(
    app: App, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: app.advance(hours=1))
    app.seed(make_rows("notte.sessions", 2))
    ((at,),) = {row[4:5] for row in app.rows("notte_sessions")}
    assert at == (NOON - EPOCH) // MICROSECOND + 58 * 60_000_000


def test_totals_stay_exact_when_a_seeded_session_is_changed_meanwhile(
    app: App, meanwhile: Meanwhile
) -> None:
    text = make_rows("scale.sessions", 3)
    app.seed(text)
    meanwhile(lambda: app.seed(text.replace('"2d"', '"2d"\narchived_ago = "1d"', 1)))
    app.seed(text)
    assert app.rows("scale_counts") == [("acme", 3, 0)]
