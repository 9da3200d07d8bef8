"""Each statement against a plain query, and each SQL twin against its rule, on generated rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionary.surfaces.notte import queries, rules
from sessionary.surfaces.notte.models import Session, SessionRow
from tests.conftest import App
from tests.surfaces.notte.strategies import NOW, fill, namespaces, sessions

FILTERS = [(only_active, only_key) for only_active in (True, False) for only_key in (True, False)]
some = settings(max_examples=40)


@pytest.fixture(autouse=True)
def entered(app: App) -> Iterator[None]:
    with app.namespace.activate():
        yield


def newest_first(namespace: list[tuple[SessionRow, str]]) -> list[tuple[SessionRow, str]]:
    by_age = sorted(
        range(len(namespace)), key=lambda place: (namespace[place][0].created_at, place)
    )
    return [namespace[place] for place in reversed(by_age)]


def rows_of(query: Any) -> list[SessionRow]:
    return [SessionRow._make(found) for found in query.tuples()]


@given(
    namespace=namespaces,
    now=st.integers(-20, 20).map(lambda minutes: NOW + minutes * 60_000_000 + minutes % 3 - 1),
    size=st.integers(1, 5),
    number=st.integers(0, 2),
)
@some
def test_a_page_has_the_rows_that_the_rule_calls_active_newest_first(
    namespace: list[tuple[SessionRow, str]], now: int, size: int, number: int
) -> None:
    fill(namespace)
    for only_active, only_key in FILTERS:
        found = queries.page(only_active=only_active, only_key=only_key).all(
            organization="acme", key_hash="a", now=now, limit=size, offset=number * size
        )
        matching = [
            row
            for row, key_hash in newest_first(namespace)
            if row.organization == "acme"
            and (not only_key or key_hash == "a")
            and (not only_active or rules.status(row, now) == "active")
        ]
        assert found == matching[number * size :][:size]


@given(namespace=namespaces, now=st.integers(NOW - 60_000_001, NOW + 60_000_001))
@some
def test_the_active_count_is_the_rule_s(namespace: list[tuple[SessionRow, str]], now: int) -> None:
    fill(namespace)
    counted = sum(rules.status(row, now) == "active" for row, _ in namespace)
    assert queries.active_count.one(now=now) == counted


@given(namespace=namespaces, changed=sessions())
@some
def test_touch_and_end_change_only_their_columns_of_one_row(
    namespace: list[tuple[SessionRow, str]], changed: SessionRow
) -> None:
    fill(namespace)
    for row, _ in namespace[:1]:
        facts = changed._replace(id=row.id)
        queries.touch.run(**facts._asdict())
        touched = row._replace(
            last_accessed_at=changed.last_accessed_at,
            expires_at=changed.expires_at,
            url=changed.url,
        )
        assert queries.by_id.one(id=row.id, organization=row.organization) == touched
        ended = touched
        if row.ended_at is None:
            ended = touched._replace(
                ended_at=changed.ended_at,
                ended_as=changed.ended_as,
                close_reason=changed.close_reason,
                error=changed.error,
                status_since_at=changed.status_since_at,
            )
        assert queries.end.run(**facts._asdict()) == (row.ended_at is None)
        assert queries.by_id.one(id=row.id, organization=row.organization) == ended
    others = rows_of(Session.select(*queries.COLUMNS).order_by(Session.seq))[1:]
    assert others == [row for row, _ in namespace[1:]]


@pytest.mark.parametrize(("only_active", "only_key"), FILTERS)
def test_a_page_is_read_from_an_index_in_its_order(
    app: App, only_active: bool, only_key: bool
) -> None:
    steps = app.plan(queries.page(only_active=only_active, only_key=only_key))
    assert steps[0].startswith("SEARCH")
    assert "USING INDEX" in steps[0]
    if only_key:
        assert "key_hash=?" in steps[0]
    for step in steps:
        assert "TEMP B-TREE" not in step
        assert not step.startswith("SCAN") or step == "SCAN few"


@pytest.mark.parametrize("name", ["by_id", "touch", "end", "active_count", "by_id_anywhere"])
def test_every_other_statement_searches_an_index(app: App, name: str) -> None:
    (step,) = app.plan(getattr(queries, name))
    assert step.startswith("SEARCH")
    assert "INDEX" in step
