from pathlib import Path
from typing import Any

import pytest

from sessionary.seeds import loader
from sessionary.store import Batch
from sessionary.surfaces import SURFACES
from tests.conftest import App, MakeApp
from tests.seed_rows import row

USER = row("organizations") + row("users")
IDENTITY = USER + row(
    "keys", 'secret = "sk-notte-ana"; surface = "notte"; expires_at = 2031-01-01T00:00:00Z'
)
NOTTE = row("notte.sessions", 'timeout_minutes = 5; created_ago = "20m"; last_accessed_ago = "10m"')


def test_a_seeded_key_opens_its_surface_in_strict_mode(make_app: MakeApp) -> None:
    app = make_app(auth="strict")
    app.seed(IDENTITY + NOTTE)
    answer = app.client.get(
        "/notte/sessions/0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01",
        headers={"Authorization": "Bearer sk-notte-ana"},
    )
    assert answer.status_code == 200
    assert answer.json["status"] == "timed_out"


def test_applying_a_seed_twice_changes_nothing_however_much_later(app: App) -> None:
    app.seed(IDENTITY + NOTTE)
    before = app.all_rows()
    app.advance(days=3)
    app.seed(IDENTITY + NOTTE)
    assert app.all_rows() == before


def test_an_existing_row_is_updated_and_nothing_is_removed(app: App) -> None:
    app.seed(IDENTITY + NOTTE)
    app.seed(IDENTITY.replace('name = "Ana"', 'name = "Anna"'))
    assert [row[2] for row in app.rows("user")] == ["Anna"]
    assert len(app.rows("notte_sessions")) == 1


def test_the_order_of_tables_in_the_file_does_not_matter(app: App) -> None:
    tables = IDENTITY.split("[[")[1:]
    app.seed(NOTTE + "".join(f"[[{table}" for table in reversed(tables)))
    assert len(app.rows("key")) == 1


def test_the_example_file_is_applied(app: App) -> None:
    document = loader.read(Path(loader.__file__).with_name("example.toml"))
    with app.namespace.activate():
        assert loader.apply(document, SURFACES) == 16
        assert loader.apply(document, SURFACES) == 16


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("organizations = 5", r"write organizations as \[\[organizations\]\]"),
        ("[organizations]\nid = 'a'", r"write organizations as \[\[organizations\]\]"),
        ("[[organisations]]\nid = 'a'", r"unknown table \[\[organisations\]\]"),
        ("[[notte.session]]\nid = 'a'", r"unknown table \[\[notte.session\]\]"),
        ("[[organizations]]\nid = 'a'", r"\[\[organizations\]\] number 1, line 1: name: is req"),
        (
            "[[organizations]]\nid = 'a'\nname = 'A'\n\n[[organizations]]\nid = 'b'\nnome = 'B'",
            r"number 2, line 7: nome: is not a known field: did you mean name\?",
        ),
        (IDENTITY.replace('role = "admin"', 'role = "king"'), "memberships: 0: role: must be one"),
        (IDENTITY.replace('user = "5b0d3b0e', 'user = "5b0d3b0f'), "user '5b0d3b0f.* not exist"),
        (IDENTITY.replace('surface = "notte"', 'surface = "nitte"'), "surface must be one of"),
        (IDENTITY.replace('default_organization = "acme"', 'default_organization = "x"'), "among"),
        (
            IDENTITY.replace('surface = "notte"', 'organization = "other"'),
            "organization 'other' does not exist",
        ),
        (IDENTITY.replace("2031-01-01T00:00:00Z", "2031-01-01T00:00:00"), "with an offset"),
        (NOTTE, "organization 'acme' does not exist"),
        (IDENTITY + NOTTE.replace("20m", "20 minutes"), "created_ago: must be a duration"),
        (IDENTITY + NOTTE.replace("20m", "5m"), "must follow each other"),
        (IDENTITY + NOTTE.replace("timeout_minutes = 5", "timeout_minutes = 0"), "at least 1"),
    ],
)
def test_an_error_names_its_place_and_nothing_is_applied(app: App, text: str, why: str) -> None:
    before = app.all_rows()
    with pytest.raises(loader.BadSeed, match=why) as refused:
        app.seed(text)
    assert str(refused.value).startswith("seed.toml")
    assert app.all_rows() == before


def test_an_error_in_the_last_row_rolls_back_the_first_ones(app: App) -> None:
    before = app.all_rows()
    with pytest.raises(loader.BadSeed):
        app.seed(IDENTITY + NOTTE.replace('organization = "acme"', 'organization = "other"'))
    assert app.all_rows() == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        ("id = ", "is not TOML"),
        ("id = " + "[" * 5000 + "]" * 5000, "is nested too deep"),
        ("id = " + "1" * 5000, "is not TOML: an integer over 4300 digits$"),
        ("id = '\udcff'", "is not TOML: byte 6 is not UTF-8$"),
    ],
    ids=["missing", "unfinished", "deep", "digits", "bytes"],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None, why: str
) -> None:
    file = tmp_path / "seed.toml"
    if content is not None:
        file.write_text(content, errors="surrogateescape")
    with pytest.raises(loader.BadSeed, match=why):
        loader.read(file)


ZETA = '{ organization = "zeta", role = "readonly" }'
ADMIN = '{ organization = "acme", role = "admin" }'


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        (f"memberships = [{ZETA}, {ADMIN}]", [("acme", "admin"), ("zeta", "readonly")]),
        (f"memberships = [{ZETA}]", [("zeta", "readonly")]),
        ('memberships = [{ organization = "acme", role = "readonly" }]', [("acme", "readonly")]),
        ("memberships = []", []),
        ("", [("acme", "admin")]),
    ],
)
def test_a_later_file_gives_exactly_the_memberships_that_it_lists_and_keeps_all_without_a_list(
    app: App, listed: str, kept: list[tuple[str, str]]
) -> None:
    app.seed(IDENTITY)
    user = USER
    if ("acme", "admin") not in kept:
        user = user.replace('default_organization = "acme"', "")
    zeta = '[[organizations]]\nid = "zeta"\nname = "Zeta"\n'
    app.seed(zeta + user.replace(f"memberships = [{ADMIN}]", listed))
    assert sorted(row[1:] for row in app.rows("membership")) == kept


def test_rows_are_prepared_outside_of_the_transaction(
    make_file_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, planned, insert = make_file_app(), list[bool](), Batch.insert

    def note_and_insert(batch: Batch, model: Any, **values: Any) -> None:
        planned.append(app.namespace.connection().in_transaction)
        insert(batch, model, **values)

    monkeypatch.setattr(Batch, "insert", note_and_insert)
    app.seed('[[organizations]]\nid = "acme"\nname = "Acme"\n')
    assert planned
    assert not any(planned)
