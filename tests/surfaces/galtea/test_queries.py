"""Each statement against plain Python on generated rows; each answer against its schema."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionary import store
from sessionary.surfaces.galtea import models, rules, schemas, serializers
from sessionary.surfaces.galtea.errors import NotFound
from sessionary.surfaces.galtea.models import ReferenceRow, SessionRow
from sessionary.surfaces.galtea.queries import lists, references, sessions
from sessionary.web import json_codec
from tests.conftest import App
from tests.surfaces.galtea import strategies
from tests.surfaces.galtea.strategies import NOW, ORGANIZATIONS
from tests.surfaces.schema_fit import assert_fits_schema

few = settings(max_examples=40)


@contextmanager
def namespace_with(
    app: App, rows: list[SessionRow] | None = None, seeded: list[ReferenceRow] | None = None
) -> Iterator[None]:
    """The app's namespace with exactly these rows."""
    with app.namespace.activate():
        for table in models.TABLES:
            table.delete().execute()
        for row in rows or []:
            models.Session.create(**row._asdict())
        for reference in seeded or []:
            models.Reference.create(**reference._asdict())
        yield


def select_plain(model: type[store.Model], row: Callable[..., Any], *conditions: Any) -> list[Any]:
    """The rows of the model's own query."""
    columns = [getattr(model, name) for name in row._fields]  # type: ignore[attr-defined]
    query = model.select(*columns)
    found = query.where(*conditions) if conditions else query
    return [row(*each) for each in found.tuples()]


def all_rows() -> list[SessionRow]:
    return select_plain(models.Session, SessionRow)


def kept(rows: list[SessionRow], organization: str) -> list[SessionRow]:
    return [row for row in rows if row.organization == organization and row.deleted_at is None]


def passes(row: SessionRow, query: dict[str, Any], now: int) -> bool:
    """Whether a row passes a list's filters, in plain Python."""
    has = {
        "custom_ids": row.custom_id,
        "product_ids": row.product,
        "version_ids": row.version,
        "test_case_ids": row.test_case,
        "test_ids": row.test,
        "dataset_ids": row.test,
        "user_ids": row.user,
        "run_ids": row.run,
        "involved_in_run_ids": row.run,
        "statuses": rules.status(row, now),
    }
    nanoseconds = row.created_at * 1_000
    return (
        all(value in query[name] for name, value in has.items() if query[name])
        and row.test not in (query["exclude_test_ids"] or [None])
        and query.get("from_created_at", nanoseconds) <= nanoseconds
        and nanoseconds <= query.get("to_created_at", nanoseconds)
    )


@few
@given(strategies.tables(), strategies.queries(), st.integers(-6, 11))
def test_a_list_has_the_sessions_that_pass_its_filters_at_every_instant(
    app: App, rows: list[SessionRow], query: dict[str, Any], minutes: int
) -> None:
    with namespace_with(app, rows):
        for now in (NOW + minutes * strategies.MINUTE + step for step in (-1, 0, 1)):
            ordered = sorted(kept(rows, "acme"), key=lambda row: (row.created_at, rows.index(row)))
            if query["sort"][1] == "desc":
                ordered.reverse()
            wanted = [row for row in ordered if passes(row, query, now)]
            page = wanted[query["offset"] :][: query["limit"]]
            assert list(lists.find(query, organization="acme", now=now)) == page


@few
@given(strategies.tables(), strategies.queries(), st.data())
def test_a_list_by_ids_is_complete_or_refused(
    app: App, rows: list[SessionRow], query: dict[str, Any], data: st.DataObject
) -> None:
    asked = data.draw(st.lists(st.sampled_from([f"session_{n}" for n in range(12)]), min_size=1))
    own = {row.id: row for row in kept(rows, "acme")}
    there = {id for id, row in own.items() if id in asked and passes(row, query, NOW)}
    with namespace_with(app, rows):
        if there == set(asked):
            found = lists.find(
                {**query, "ids": asked, "limit": 99, "offset": 0}, organization="acme", now=NOW
            )
            assert {row.id for row in found} == there
        else:
            with pytest.raises(NotFound) as refusal:
                list(lists.find({**query, "ids": asked}, organization="acme", now=NOW))
            assert all(id in str(refusal.value) for id in set(asked) - there)


@few
@given(strategies.tables(), st.sampled_from(ORGANIZATIONS))
def test_existing_ids_are_its_own(app: App, rows: list[SessionRow], organization: str) -> None:
    with namespace_with(app, rows):
        asked = json_codec.encode([row.id for row in rows] + ["elsewhere"])
        present = sessions.existing_ids.all(ids=asked, organization=organization)
        assert sorted(present) == sorted(row.id for row in kept(rows, organization))


@few
@given(strategies.tables(), st.sampled_from(ORGANIZATIONS))
def test_the_holder_of_a_custom_id_is_in_its_version_and_organization(
    app: App, rows: list[SessionRow], organization: str
) -> None:
    with namespace_with(app, rows):
        for row in rows:
            found = sessions.custom_id_holder(row._replace(organization=organization))
            is_holder = row in kept(rows, organization) and row.custom_id is not None
            assert found == (row.id if is_holder else None)


@few
@given(strategies.tables(), strategies.sessions())
def test_an_update_changes_only_the_changeable_columns_of_one_kept_row(
    app: App, rows: list[SessionRow], other: SessionRow
) -> None:
    hit = [row for row in kept(rows, other.organization) if row.id == other.id]
    changes = {name: getattr(other, name) for name in sessions.CHANGEABLE}
    with namespace_with(app, rows):
        assert sessions.update.run(**other._asdict()) == len(hit)
        assert all_rows() == [row._replace(**changes) if row in hit else row for row in rows]


@few
@given(strategies.tables(), st.sets(st.integers(0, 12)))
def test_a_delete_marks_only_sessions_of_the_organization(
    app: App, rows: list[SessionRow], numbers: set[int]
) -> None:
    asked = [f"session_{number}" for number in numbers]
    with namespace_with(app, rows):
        sessions.delete.run(ids=json_codec.encode(asked), organization="acme", at=NOW)
        assert all_rows() == [
            row._replace(deleted_at=NOW) if row.id in asked and row in kept(rows, "acme") else row
            for row in rows
        ]


@few
@given(strategies.references)
def test_an_insert_of_a_reference_stores_every_column(app: App, row: ReferenceRow) -> None:
    with namespace_with(app):
        references.insert.run(**row._asdict())
        assert select_plain(models.Reference, ReferenceRow) == [row]


def visible(rows: list[ReferenceRow], kind: str, organization: str) -> list[ReferenceRow]:
    return [row for row in rows if row.kind == kind and row.organization in (None, organization)]


@few
@given(strategies.reference_tables(), st.lists(st.integers(0, 10).map(lambda n: f"p{n}")))
def test_visible_references_are_found_by_kind_and_id(
    app: App, rows: list[ReferenceRow], asked: list[str]
) -> None:
    with namespace_with(app, seeded=rows):
        found = references.by_ids.all(
            kind=models.VERSION, ids=json_codec.encode(asked), organization="acme"
        )
        expected = [row for row in visible(rows, models.VERSION, "acme") if row.id in asked]
        assert sorted(found) == sorted(expected)


@few
@given(strategies.reference_tables(), st.sampled_from(strategies.IDS))
def test_the_latest_version_is_the_visible_one_that_was_created_last(
    app: App, rows: list[ReferenceRow], product: str
) -> None:
    own = [row for row in visible(rows, models.VERSION, "acme") if row.parent == product]
    latest = max(own, key=lambda row: (row.created_at, rows.index(row)), default=None)
    with namespace_with(app, seeded=rows):
        assert references.latest_version.one(product=product, organization="acme") == latest


@few
@given(strategies.sessions(), st.integers(-6, 11))
def test_a_session_fits_its_schema(row: SessionRow, minutes: int) -> None:
    shown = serializers.session(row, NOW + minutes * strategies.MINUTE)
    assert_fits_schema(schemas.Session(), shown)


@few
@given(strategies.references)
def test_a_reference_fits_its_schema(row: ReferenceRow) -> None:
    assert_fits_schema(schemas.Version(), serializers.version(row))
    assert_fits_schema(schemas.Test(), serializers.test(row))
    shown = serializers.test_case(row)
    assert_fits_schema(schemas.TestCase(), shown)
    assert ("context" in shown) is (row.context is not None)


def test_the_sdk_versions_fit_their_schema() -> None:
    assert_fits_schema(schemas.SdkVersions(), serializers.SDK_VERSIONS)


INDEXED = [(name, 1) for name in lists.FILTERS] + [
    (name, 2) for name in ("ids", "custom_ids", "test_case_ids", "run_ids", "involved_in_run_ids")
]


@pytest.mark.parametrize(("name", "values"), INDEXED)
def test_a_list_by_one_filter_searches_its_index(app: App, name: str, values: int) -> None:
    chosen = frozenset({name})
    filters = {"single": chosen} if values == 1 else {"several": chosen}
    plan = "\n".join(app.plan(lists.page(lists.Filters(**filters))))
    column = lists.FILTERS[name].column_name
    assert f"{column}=?" in plan
    assert ("ORDER BY" in plan) is (values > 1)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"others": frozenset({"from_created_at", "to_created_at"})},
        {"statuses": frozenset({"PENDING"})},
        {"statuses": frozenset({"FAILED"})},
        {"statuses": frozenset({"COMPLETED"})},
        {"several": frozenset({"version_ids"})},
        {"newest_first": False},
    ],
)
def test_the_first_page_is_read_in_the_order_of_an_index(app: App, filters: dict[str, Any]) -> None:
    plan = "\n".join(app.plan(lists.page(lists.Filters(**filters))))
    assert "organization=?" in plan
    assert "ORDER BY" not in plan
