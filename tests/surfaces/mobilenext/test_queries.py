"""Each statement against its query built with plain values, and against the rule in Python."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary import create_app, store
from sessionary.settings import Settings
from sessionary.store import Statement
from sessionary.surfaces.mobilenext import allocation, rules
from sessionary.surfaces.mobilenext.models import (
    Allocation,
    Device,
    DeviceRow,
    FactRow,
    SessionRow,
)
from sessionary.surfaces.mobilenext.queries import allocations, devices, facts, sessions
from tests.conftest import App
from tests.surfaces.mobilenext.api_client import TABLES
from tests.surfaces.mobilenext.strategies import (
    LAST,
    ORGANIZATIONS,
    SERIALS,
    fill,
    instants,
    maybe,
    namespaces,
    shown,
    texts,
    uuid,
)

Namespace = tuple[list[Any], list[Any], list[Any]]
MODULES = (allocations, devices, facts, sessions)
organizations = st.sampled_from(ORGANIZATIONS)
serials = st.sampled_from(SERIALS)


few = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def generated(**strategies: Any) -> Callable[[Any], Any]:
    """Fill the namespace with generated rows, of which the test gets the three lists."""

    def fill_namespace(rows: Namespace) -> Namespace:
        fill(rows)
        return rows

    filled = namespaces().map(fill_namespace)
    return lambda test: few(given(namespace=filled, **strategies)(test))


@pytest.fixture(scope="module", autouse=True)
def place() -> Iterator[App]:
    """One active namespace for the module; each example refills it."""
    app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
    with ExitStack() as stack:
        stack.callback(app.namespace.close)
        stack.enter_context(app.namespace.activate())
        yield app


def plain(statement: Statement[Any], **values: Any) -> Any:
    """Build the statement's query with these values instead of parameters."""
    params = {"param": values.__getitem__, "param_list": lambda name: json.loads(values[name])}
    with ExitStack() as stack:
        for module in MODULES:
            for name in params.keys() & vars(module).keys():
                stack.enter_context(mock.patch.object(module, name, params[name]))
        return statement.query()


def assert_reads_alike(statement: Statement[Any], **values: Any) -> list[Any]:
    found = statement.all(**values)
    assert found == [statement._row(row) for row in plain(statement, **values).tuples()]
    assert statement.one(**values) == (found[0] if found else None)
    return found


def assert_writes_alike(place: App, statement: Statement[Any], **values: Any) -> int:
    """Assert that both change the same rows to the same values, then run the statement."""
    results = []
    for change in (lambda: statement.run(**values), lambda: plain(statement, **values).execute()):
        with place.namespace.database.atomic() as transaction:
            change()
            results.append([place.rows(table) for table in TABLES])
            transaction.rollback()
    assert results[0] == results[1]
    return statement.run(**values)


@generated(serial=serials)
def test_a_device_is_found_and_retired_once(place: App, namespace: Namespace, serial: str) -> None:
    (expected,) = [each for each in namespace[0] if each.serial == serial]
    assert assert_reads_alike(devices.by_serial, serial=serial) == [expected]
    is_new = assert_writes_alike(place, devices.retire, serial=serial)
    assert is_new == (not expected.is_retired)
    assert devices.by_serial.one(serial=serial) == expected._replace(is_retired=1)
    assert devices.by_serial.one(serial="unknown") is None


@generated()
def test_unused_defaults_are_default_devices_that_no_allocation_names(
    namespace: Namespace,
) -> None:
    used = {each.serial for each in namespace[2]}
    Device.update(is_default=1).where(Device.serial != SERIALS[0]).execute()
    found = assert_reads_alike(devices.unused_defaults)
    assert sorted(found) == sorted({*SERIALS[1:]} - used)


@generated(now=instants)
def test_the_catalogue_marks_devices_with_open_allocations(namespace: Namespace, now: int) -> None:
    held = {each.serial for each in namespace[2] if rules.is_open(each, now)}
    expected = [each._replace(is_allocated=int(each.serial in held)) for each in namespace[0]]
    assert assert_reads_alike(devices.catalogue, now=now) == expected


@generated(now=instants)
def test_candidates_are_not_retired_ready_ones_first(namespace: Namespace, now: int) -> None:
    held = {each.serial for each in namespace[2] if rules.is_open(each, now)}
    expected: list[DeviceRow] = sorted(
        (
            each._replace(is_allocated=int(each.serial in held))
            for each in namespace[0]
            if not each.is_retired
        ),
        key=lambda each: each.provision_seconds > 0,
    )
    assert assert_reads_alike(devices.candidates, now=now) == expected


@generated(organization=organizations, limit=st.integers(1, 6))
def test_a_page_is_the_newest_listed_sessions_of_an_organization_before_the_cursor(
    namespace: Namespace, organization: str, limit: int
) -> None:
    own = [each for each in namespace[1] if each.organization == organization]
    newest = sorted(
        (each for each in own if each.created_at is not None), key=lambda each: -each.created_at
    )
    for before in (None, *range(LAST + 2)):
        page = [each for each in newest if before is None or each.created_at < before][:limit]
        wanted = {"organization": organization, "before": before, "limit": limit}
        found = assert_reads_alike(sessions.page(only_before=before is not None), **wanted)
        assert found == [row for each in page for row in shown(each, namespace[2])]


@generated(organization=organizations, number=st.integers(0, 14))
def test_a_session_is_read_with_its_allocations_in_order_of_creation(
    namespace: Namespace, organization: str, number: int
) -> None:
    wanted = {"id": uuid(number), "organization": organization}
    expected = [
        row
        for each in namespace[1]
        if (each.id, each.organization) == (wanted["id"], wanted["organization"])
        for row in shown(each, namespace[2])
    ]
    assert assert_reads_alike(sessions.with_allocations, **wanted) == expected


@generated(numbers=st.lists(st.integers(0, 14), max_size=8))
def test_allocations_of_several_sessions_are_in_order_of_creation(
    namespace: Namespace, numbers: list[int]
) -> None:
    wanted = [uuid(number) for number in numbers]
    expected = [each for each in namespace[2] if each.session in wanted]
    assert assert_reads_alike(allocations.of_sessions, sessions=json.dumps(wanted)) == expected


@generated(wanted=st.lists(serials, max_size=4, unique=True), now=instants)
def test_devices_held_twice_have_open_allocations_in_several_sessions(
    namespace: Namespace, wanted: list[str], now: int
) -> None:
    Allocation.update(serial=SERIALS[0]).where(Allocation.serial == SERIALS[1]).execute()
    moved = {SERIALS[1]: SERIALS[0]}
    held = [each._replace(serial=moved.get(each.serial, each.serial)) for each in namespace[2]]
    expected = [
        (each.id, each.serial, each.session)
        for each in held
        if each.serial in wanted and rules.is_open(each, now)
    ]
    values = {"serials": json.dumps(wanted), "now": now}
    holders = {(serial, session) for _, serial, session in expected}
    counts = Counter(serial for serial, _ in holders)
    twice = [serial for (serial,) in assert_reads_alike(allocations.held_twice, **values)]
    assert sorted(twice) == sorted(serial for serial in counts if counts[serial] > 1)


@generated(number=st.integers(0, 2), organization=organizations, serial=serials, now=instants)
def test_own_and_held_devices_have_open_allocations_in_the_organization(
    namespace: Namespace, number: int, organization: str, serial: str, now: int
) -> None:
    sessions = {each.id: each for each in namespace[1]}
    expected = [
        each
        for each in namespace[2]
        if rules.is_open(each, now) and sessions[each.session].organization == organization
    ]
    own = [each for each in expected if sessions[each.session].user == uuid(number)]
    values = {"organization": organization, "now": now}
    assert assert_reads_alike(allocations.own_open, user=uuid(number), **values) == own
    held = assert_reads_alike(allocations.held, serial=serial, **values)
    assert sorted(held) == sorted(each for each in expected if each.serial == serial)


@generated(
    written=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from("ab"), texts, instants), max_size=8
    ),
    number=st.integers(0, 4),
    name=st.sampled_from("ab"),
    wanted=st.lists(st.integers(0, 4), max_size=3),
)
def test_an_allocation_has_one_fact_of_a_name_the_last_until_it_is_forgotten(
    place: App,
    namespace: Namespace,
    written: list[tuple[int, str, str, int]],
    number: int,
    name: str,
    wanted: list[int],
) -> None:
    expected = {}
    for index, each, text, at in written:
        if index < len(namespace[2]):
            allocation = namespace[2][index]
            row = FactRow(allocation.session, allocation.id, each, text, "call", at)
            assert_writes_alike(place, facts.put, **row._asdict())
            expected[allocation.id, each] = row
    of = {"allocation": uuid(1000 + number)}
    is_there = expected.pop((of["allocation"], name), None) is not None
    assert assert_writes_alike(place, facts.delete, name=name, **of) == is_there
    ids = [uuid(1000 + each) for each in wanted]
    kept = [row for (id, _), row in sorted(expected.items()) if id in ids]
    assert assert_reads_alike(facts.of_allocations, allocations=json.dumps(ids)) == kept


@generated(places=st.lists(st.tuples(organizations, instants), max_size=8))
def test_sessions_at_places_are_those_of_the_organization_created_then(
    namespace: Namespace, places: list[tuple[str, int]]
) -> None:
    expected = [
        ((each.organization, each.created_at), each.id)
        for each in namespace[1]
        if (each.organization, each.created_at) in places
    ]
    found = sessions.at_places.all(places=json.dumps(places))
    assert sorted(found) == sorted(expected)


@generated(numbers=st.lists(st.integers(0, 14), max_size=8), are_over=st.booleans())
def test_the_last_releases_of_sessions_are_those_of_the_rule(
    place: App, namespace: Namespace, numbers: list[int], are_over: bool
) -> None:
    if are_over:
        Allocation.update(released_at=Allocation.created_at).execute()
    allocated = allocations.of_sessions.all(sessions=json.dumps([each.id for each in namespace[1]]))
    wanted = [uuid(number) for number in numbers]
    assert_writes_alike(place, sessions.store_last_releases, ids=json.dumps(wanted))
    for each in namespace[1]:
        held = [one for one in allocated if one.session == each.id]
        expected = each
        if each.id in wanted:
            last = rules.last_release_at(held)
            began_at = rules.active_since_at(held) if held else each.opened_at
            since_at = began_at if last is None else last
            expected = each._replace(released_at=last, status_since_at=since_at)
        assert sessions.by_id.one(id=each.id, organization=each.organization) == expected


@generated(organization=organizations, at=instants)
def test_a_free_created_at_is_the_first_that_no_other_session_has(
    namespace: Namespace, organization: str, at: int
) -> None:
    session = SessionRow(uuid(1), organization, uuid(2), 0, 0, 0)
    others = [each for each in namespace[1] if each.id != session.id]
    taken = {each.created_at for each in others if each.organization == organization}
    expected = next(value for value in range(at, at + 99) if value not in taken)
    assert allocation.free_created_at(session, at) == expected
    values = {"organization": organization, "session": session.id, "created_at": at}
    for statement in (sessions.is_created_at_taken, sessions.last_taken_created_at):
        assert_reads_alike(statement, **values)


@generated(number=st.integers(0, 14), at=instants, end=maybe)
def test_created_at_is_set_once_and_released_at_until_a_session_is_reopened(
    place: App, namespace: Namespace, number: int, at: int, end: int | None
) -> None:
    session = next((each for each in namespace[1] if each.id == uuid(number)), None)
    is_empty = session is not None and session.created_at is None
    is_held = session is not None and session.released_at is None
    values = {"id": uuid(number), "created_at": 1000 + at, "expires_at": end, "status_since_at": at}
    assert assert_writes_alike(place, sessions.set_created_at, **values) == is_empty
    ended = {"id": uuid(number), "released_at": at, "status_since_at": at}
    assert assert_writes_alike(place, sessions.set_released_at, **ended) == is_held
    reopened = {"id": uuid(number), "status_since_at": at}
    assert assert_writes_alike(place, sessions.reopen, **reopened) == (session is not None)
    assert sessions.reopen.run(**reopened) == 0


@generated(number=st.integers(0, 14), at=instants)
def test_an_allocation_is_released_once(
    place: App, namespace: Namespace, number: int, at: int
) -> None:
    is_held = any(
        each.id == uuid(1000 + number) and each.released_at is None for each in namespace[2]
    )
    ended = {"id": uuid(1000 + number), "released_at": at}
    assert assert_writes_alike(place, allocations.set_released_at, **ended) == is_held


@generated(serial=serials, now=instants)
def test_storing_lease_ends_of_a_device_releases_exactly_the_sessions_with_a_lease_over(
    place: App, namespace: Namespace, serial: str, now: int
) -> None:
    over = {
        each.session
        for each in namespace[2]
        if each.serial == serial
        and each.released_at is None
        and each.expires_at is not None
        and each.expires_at <= now
    }
    settled = [
        each._replace(released_at=each.expires_at)
        if each.released_at is None and each.session in over
        else each
        for each in namespace[2]
    ]
    values = {"serial": serial, "now": now}
    assert_writes_alike(place, allocations.store_session_lease_ends, **values)
    assert_writes_alike(place, allocations.store_lease_ends, **values)
    every = json.dumps([each.id for each in namespace[1]])
    assert allocations.of_sessions.all(sessions=every) == settled
    for each in namespace[1]:
        found = sessions.by_id.one(id=each.id, organization=each.organization)
        ends = each.released_at is None and each.id in over
        ended = each._replace(released_at=each.expires_at, status_since_at=each.expires_at)
        assert found == (ended if ends else each)


@few
@given(marks=st.lists(st.tuples(organizations, instants, st.integers(0, 3)), max_size=5))
def test_an_organization_has_one_mark_the_last(
    place: App, marks: list[tuple[str, int, int]]
) -> None:
    fill(([], [], []))
    for organization, created_at, moves in marks:
        values = {"organization": organization, "created_at": created_at, "moves": moves}
        assert_writes_alike(place, sessions.put_mark, **values)
    for organization in ORGANIZATIONS:
        last = [(at, moves) for name, at, moves in marks if name == organization][-1:]
        assert assert_reads_alike(sessions.mark, organization=organization) == last


def test_organizations_are_read_in_order_of_creation(place: App) -> None:
    with store.transaction():
        place.seed('organizations = [{ id = "z", name = "Z" }, { id = "a", name = "A" }]')
    found = assert_reads_alike(sessions.organizations, ids='["a", "nowhere", "z"]')
    assert [id for id, *_ in found] == ["z", "a"]


def test_every_statement_of_this_surface_is_tested_here() -> None:
    kept = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, Statement)
    }
    text = Path(__file__).read_text()
    assert len(kept) > 15
    # tests/surfaces/test_queries.py compares the inserts.
    kept -= {"sessions.insert", "allocations.insert"}
    assert {name for name in kept if name not in text} == set()


def test_own_devices_are_found_without_a_scan(place: App) -> None:
    plan = place.plan(allocations.own_open, user="u", organization="o", now=1)
    assert not any(step.startswith("SCAN") for step in plan), plan


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (sessions.by_id, {"id": "i", "organization": "o"}),
        (sessions.with_allocations, {"id": "i", "organization": "o"}),
        (sessions.is_created_at_taken, {"organization": "o", "session": "s", "created_at": 1}),
        (sessions.last_taken_created_at, {"organization": "o", "session": "s", "created_at": 1}),
        (allocations.of_sessions, {"sessions": "[]"}),
        (allocations.held, {"serial": "s", "organization": "o", "now": 1}),
        (facts.of_allocations, {"allocations": "[]"}),
        (facts.delete, {"allocation": "a", "name": "n"}),
        (allocations.store_session_lease_ends, {"serial": "s", "now": 1}),
        (allocations.store_lease_ends, {"serial": "s", "now": 1}),
    ],
)
def test_no_statement_scans_sessions_or_allocations_or_sorts_them(
    place: App, statement: Statement[Any], values: dict[str, Any]
) -> None:
    """It must stay fast at a million rows."""
    plan = place.plan(statement, **values)
    assert not [step for step in plan if "SCAN" in step and "json_each" not in step], plan
    if statement is not allocations.of_sessions:
        assert not [step for step in plan if "B-TREE" in step], plan


def test_own_devices_are_found_by_the_open_allocations(place: App) -> None:
    plan = place.plan(allocations.own_open, user="u", organization="o", now=1)
    assert any("mobilenext_allocations_serial_expires_at (serial=?)" in step for step in plan), plan
    assert any("mobilenext_sessions_id (id=?)" in step for step in plan), plan


@pytest.mark.parametrize("only_before", [False, True])
def test_a_page_is_found_by_index_and_only_its_rows_sorted(place: App, only_before: bool) -> None:
    page = sessions.page(only_before=only_before)
    plan = place.plan(page, organization="o", before=9, limit=101)
    assert [step.partition(" USING ")[0] for step in plan] == [
        "CO-ROUTINE newest",
        "SEARCH t2",
        "SCAN newest",
        "SEARCH t1",
        "USE TEMP B-TREE FOR ORDER BY",
    ]


@pytest.mark.parametrize("statement", [devices.catalogue, devices.candidates])
def test_open_allocations_are_found_by_the_index(place: App, statement: Statement[Any]) -> None:
    plan = place.plan(statement, now=1)
    assert any("SEARCH" in step and "serial=?" in step for step in plan), plan


@generated(wanted=st.lists(serials, max_size=4, unique=True), after=instants)
def test_allocations_open_after_an_instant_are_those_not_released_by_then(
    namespace: Namespace, wanted: list[str], after: int
) -> None:
    expected = [
        each
        for each in namespace[2]
        if each.serial in wanted and (each.released_at is None or each.released_at > after)
    ]
    values = {"serials": json.dumps(wanted), "after": after}
    assert sorted(assert_reads_alike(allocations.open_after, **values)) == sorted(expected)


@generated(wanted=st.data())
def test_sessions_of_others_have_an_allocation_that_is_not_seeded(
    namespace: Namespace, wanted: st.DataObject
) -> None:
    rows = namespace[2]
    ids = wanted.draw(st.sets(st.sampled_from([each.session for each in rows]))) if rows else set()
    seeded = wanted.draw(st.sets(st.sampled_from([each.id for each in rows]))) if rows else set()
    values = {"ids": json.dumps(sorted(ids)), "seeded": json.dumps(sorted(seeded))}
    expected = {each.session for each in rows if each.session in ids and each.id not in seeded}
    found = assert_reads_alike(allocations.sessions_of_others, **values)
    assert sorted(found) == sorted(expected)


def test_sessions_of_others_are_found_by_an_index(place: App) -> None:
    plan = place.plan(allocations.sessions_of_others, ids="[]", seeded="[]")
    assert any("SEARCH" in step and "(session=?)" in step for step in plan), plan
