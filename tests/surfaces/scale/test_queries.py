"""Statements against plain filters, and responses against their schemas, on generated rows."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionary.identity import Caller, Organization
from sessionary.surfaces.scale import errors, queries, schemas, serializers
from sessionary.surfaces.scale.models import Session, SessionCount, SessionRow
from sessionary.web import json_codec
from sessionary.web.fastapi_errors import violations
from sessionary.web.fields import Problem
from tests.conftest import App
from tests.surfaces.schema_fit import assert_fits_schema

ACCOUNTS = ["acme", "zeta", "mars", "open-1", "open-2", "empty"]
DECLARED = ["acme", "zeta", "mars"]


@pytest.fixture
def rows(app: App) -> Iterator[list[SessionRow]]:
    """Sixty sessions in five accounts, some archived, many of one instant.

    The namespace is active.
    """
    chance = random.Random(7)
    made = []
    with app.namespace.activate():
        for name in DECLARED:
            Organization.create(id=name, name=name.title(), created_at=0)
        for number in range(60):
            row = SessionRow(
                id=f"id-{number}",
                account_id=chance.choice(ACCOUNTS[:-1]),
                title=f"title {number}",
                state="{}",
                created_at=chance.randrange(8),
                updated_at=number,
                created_by_user_id="u",
                created_by_identity_type="user",
                start_date=chance.choice([None, number]),
                end_date=None,
                archived_at=chance.choice([None, None, number]),
                status_since_at=number,
            )
            queries.insert.run(**row._asdict())
            queries.update_counts(None, row)
            made.append(row)
        yield made


def is_covered(scope: str, accounts: list[str], account: str) -> bool:
    return account in accounts or (scope == queries.ANYWHERE and account not in DECLARED)


@pytest.mark.parametrize(
    ("scope", "accounts"),
    [
        (queries.ONE, ["acme"]),
        (queries.ONE, ["empty"]),
        (queries.SEVERAL, []),
        (queries.SEVERAL, ["acme"]),
        (queries.SEVERAL, ["acme", "open-1", "empty", "unheard-of"]),
        (queries.SEVERAL, ACCOUNTS),
        (queries.ANYWHERE, ["acme"]),
        (queries.ANYWHERE, []),
    ],
)
@pytest.mark.parametrize("include_archived", [False, True])
def test_pages_and_totals_equal_a_plain_filter_over_all_rows(
    rows: list[SessionRow], scope: str, accounts: list[str], include_archived: bool
) -> None:
    expected = [
        row
        for row in sorted(rows, key=lambda row: row.created_at)  # stable: ties by creation
        if is_covered(scope, accounts, row.account_id)
        and (include_archived or row.archived_at is None)
    ]
    given_ = {"account": next(iter(accounts), None), "accounts": json_codec.encode(accounts)}
    assert queries.total(scope, include_archived=include_archived).one(**given_) == len(expected)
    page = queries.page(scope, include_archived=include_archived)
    for limit in (1, 7, 100):
        for offset in (0, 1, 7, 59, 60):
            found = page.all(**given_, limit=limit, offset=offset, reach=offset + limit)
            assert found == expected[offset : offset + limit]


def test_scope_is_the_narrowest_variant_that_covers_the_accounts() -> None:
    assert queries.scope(["acme"], anywhere=False) == queries.ONE
    assert queries.scope([], anywhere=False) == queries.SEVERAL
    assert queries.scope(["acme", "zeta"], anywhere=False) == queries.SEVERAL
    assert queries.scope(["acme"], anywhere=True) == queries.ANYWHERE


@pytest.mark.parametrize(
    "columns",
    [{"title": "new", "updated_at": 99}, {"archived_at": None}, {"start_date": 5, "end_date": 6}],
)
def test_an_update_sets_columns_of_one_row(rows: list[SessionRow], columns: dict[str, Any]) -> None:
    assert queries.update(frozenset(columns)).run(id="id-5", **columns) == 1
    after = [queries.by_id.one(id=row.id) for row in rows]
    assert after == [row._replace(**columns) if row.id == "id-5" else row for row in rows]


def test_counts_follow_every_insert_and_change(rows: list[SessionRow]) -> None:
    for number, row in enumerate(rows):
        archived_at = None if row.archived_at else number + 1
        after = row._replace(archived_at=archived_at)
        queries.update(frozenset({"archived_at"})).run(id=row.id, archived_at=archived_at)
        queries.update_counts(row, after)
    for account in ACCOUNTS[:-1]:
        counts = SessionCount.get_by_id(account)
        mine = Session.select().where(Session.account_id == account)
        assert counts.live == mine.where(Session.archived_at.is_null()).count()
        assert counts.archived == mine.where(Session.archived_at.is_null(False)).count()


@pytest.mark.usefixtures("rows")
def test_account_names_are_in_order_of_declaration() -> None:
    names = queries.account_names.all(accounts=json_codec.encode(["zeta", "nowhere", "acme"]))
    assert names == [("acme", "Acme"), ("zeta", "Zeta")]


@pytest.mark.parametrize(
    ("scope", "include_archived", "index"),
    [
        (queries.ONE, False, "scale_sessions_live (account_id=?)"),
        (queries.ONE, True, "scale_sessions_account_id_created_at_seq (account_id=?)"),
        (queries.SEVERAL, False, "scale_sessions_live (account_id=?)"),
        (queries.SEVERAL, True, "scale_sessions_account_id_created_at_seq (account_id=?)"),
        (queries.ANYWHERE, False, "scale_sessions_created_at_seq_account_id_archived_at"),
        (queries.ANYWHERE, True, "scale_sessions_created_at_seq_account_id_archived_at"),
    ],
)
@pytest.mark.usefixtures("rows")
def test_a_page_is_read_in_the_order_of_an_index(
    app: App, scope: str, include_archived: bool, index: str
) -> None:
    statement = queries.page(scope, include_archived=include_archived)
    steps = app.plan(statement)
    assert any(index in step for step in steps), steps
    sorts = [step for step in steps if "TEMP B-TREE" in step]
    # Only the merge of several accounts' first rows sorts.
    assert len(sorts) == (scope == queries.SEVERAL), steps


instants = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
texts = st.text(max_size=20)
session_rows = st.builds(
    SessionRow,
    id=st.uuids().map(str),
    account_id=texts,
    title=texts,
    state=st.dictionaries(texts, st.none() | st.integers() | st.lists(texts)).map(
        json_codec.encode
    ),
    created_at=instants,
    updated_at=instants,
    created_by_user_id=texts,
    created_by_identity_type=st.sampled_from(["user", "service_account"]),
    start_date=st.none() | instants,
    end_date=st.none() | instants,
    archived_at=st.none() | instants,
)


@given(session_rows)
@settings(max_examples=50)
def test_a_serialized_session_fits_its_schema(row: SessionRow) -> None:
    shown = serializers.session(row)
    assert_fits_schema(schemas.SessionResponse(), shown)
    assert None not in shown.values()
    assert json_codec.encode(shown["state"]) == row.state


@given(st.lists(session_rows, max_size=3))
@settings(max_examples=10)
def test_a_serialized_page_fits_its_schema(rows: list[SessionRow]) -> None:
    shown = json_codec.page_value(serializers.page(iter(rows), total=9, number=2, size=3))
    assert_fits_schema(schemas.SessionPage(), shown)
    assert shown["items"] == [serializers.session(row) for row in rows]


def test_a_serialized_deletion_fits_its_schema() -> None:
    assert_fits_schema(schemas.DeleteResponse(), serializers.deletion(1))


@pytest.mark.parametrize("email", [None, "ana@example.com"])
def test_a_serialized_user_fits_its_schema(email: str | None) -> None:
    roles = {"a": "admin", "b": "readonly"}
    caller = Caller("u", "Ana", email, "user", "", None, "b", roles, False)
    shown = serializers.user_info(caller, roles, {"a": "A", "b": "B"})
    assert_fits_schema(schemas.UserInfo(), shown)
    assert [each["account"]["id"] for each in shown["access_profiles"]] == ["b", "a"]


def test_error_bodies_fit_their_schemas() -> None:
    assert_fits_schema(schemas.ErrorBody(), errors.body("Session x not found"))
    found = violations([Problem("document", "why"), Problem("missing", "", ("title",))])
    assert_fits_schema(schemas.ValidationErrorBody(), errors.body(found))
