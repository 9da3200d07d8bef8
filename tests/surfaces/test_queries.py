"""Statements and SQL twins of every surface against plain Python on generated rows."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionary.store import Model, rowid
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Retention
from tests.conftest import App
from tests.surfaces.callers import Caller
from tests.surfaces.force_helpers import explain_now
from tests.surfaces.generated_rows import GENERATED

each_vendor = pytest.mark.parametrize("vendor", GENERATED)
some = settings(max_examples=40)


def retention_of(vendor: str) -> Retention:
    (found,) = (each.retention for each in SURFACES if each.name == vendor)
    assert found is not None
    return found


def ids(table: type[Model], *conditions: Any) -> list[str]:
    """The ids of the rows that the conditions select, in order of creation."""
    query = table.select(table._meta.fields["id"]).where(True, *conditions)
    return [row[0] for row in query.order_by(rowid(table)).tuples()]


def instants_near(rows: list[Any]) -> list[int]:
    """Every instant of the rows, and the microseconds before and after it."""
    facts = {
        value
        for row in rows
        for name, value in row._asdict().items()
        if name.endswith("_at") and value is not None and value < 2**62
    }
    return sorted({value + step for value in facts for step in (-1, 0, 1)})


@each_vendor
@given(data=st.data())
@some
def test_each_sql_twin_selects_as_its_rule_does(app: App, vendor: str, data: st.DataObject) -> None:
    generated = GENERATED[vendor]
    drawn, at = data.draw(generated.namespaces), data.draw(generated.instants)
    with app.namespace.activate():
        generated.fill(drawn)
        for table, twin, rule in generated.twins:
            rows = generated.tables(drawn)[table]
            for each in (at, *instants_near(rows)):
                assert ids(table, twin(each)) == [row.id for row in rows if rule(row, each)]


@each_vendor
@given(data=st.data())
@some
def test_an_insert_stores_every_column_and_by_id_finds_own_rows_only(
    app: App, vendor: str, data: st.DataObject
) -> None:
    generated = GENERATED[vendor]
    drawn = data.draw(generated.namespaces)
    with app.namespace.activate():
        generated.fill(drawn)
        for table, rows in generated.tables(drawn).items():
            columns = [getattr(table, name) for row in rows[:1] for name in row._fields]
            stored = table.select(*columns).order_by(rowid(table)).tuples()
            assert not rows or list(stored) == rows
        sessions, *_ = generated.tables(drawn).values()
        for organization in ("acme", "zeta"):
            for row in sessions:
                found = generated.by_id.one(id=row.id, organization=organization)
                assert found == (row if generated.is_own(row, organization) else None)
            assert generated.by_id.one(id="elsewhere", organization=organization) is None


@each_vendor
@given(data=st.data())
@some
def test_pruning_finds_in_pages_and_removes_the_sessions_that_ended_before_an_instant(
    app: App, vendor: str, data: st.DataObject
) -> None:
    generated, retention = GENERATED[vendor], retention_of(vendor)
    drawn = data.draw(generated.namespaces)
    table, rows = next(iter(generated.tables(drawn).items()))
    ended: set[str] = set()
    with app.namespace.activate():
        generated.fill(drawn)
        columns = rowid(table), table._meta.fields["id"]
        keys = {row[1]: row[0] for row in table.select(*columns).tuples()}
        instants = [data.draw(generated.instants), *instants_near(rows)]
        last = data.draw(st.sampled_from(instants))
        for before_at in (*instants, last):
            ended = {row.id for row in rows if generated.has_ended(row, before_at)}
            assert {row.id for row in rows if generated.rule_of_ended(row, before_at)} == ended
            page = partial(retention.ended.all, before_at=before_at, until=2**62)
            found = page(after=0, limit=100)
            assert found == sorted(keys[id] for id in ended)
            assert page(after=0, limit=1) == found[:1]
            if found:
                assert page(after=found[0], limit=99) == found[1:]
        assert retention.remove(list(keys.values()), last) == len(ended)
        assert set(ids(table)) == keys.keys() - ended
        generated.check_left(drawn, ended)


@pytest.mark.parametrize("vendor", ["mobilenext", "notte", "scale"])
def test_the_control_plane_finds_a_session_by_its_id_in_any_case(app: App, vendor: str) -> None:
    id = Caller(vendor, app).start()
    (surface,) = (each for each in SURFACES if each.name == vendor)
    assert explain_now(app, surface, id.upper()).unless
