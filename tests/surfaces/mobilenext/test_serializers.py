"""Serialized rows have exactly the fields of their schemas."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sessionary.surfaces.mobilenext import errors, rules, schemas, serializers
from sessionary.surfaces.mobilenext.models import AllocationRow, SessionRow
from sessionary.web.instants import to_text
from sessionary.web.json_codec import page_value
from tests.surfaces.mobilenext.strategies import LAST, allocations, instants, sessions, texts, uuid
from tests.surfaces.mobilenext.strategies import shown as facts
from tests.surfaces.schema_fit import assert_fits_schema

generated = settings(max_examples=20)
Held = tuple[list[SessionRow], list[AllocationRow]]
held = sessions().flatmap(lambda found: st.tuples(st.just(found), allocations(found)))


def listed(found: Held) -> tuple[list[SessionRow], list[AllocationRow]]:
    rows = [each for each in found[0] if each.created_at is not None]
    return rows, found[1]


@given(found=held, now=st.integers(0, LAST), size=st.integers(1, 14))
@generated
def test_a_serialized_page_fits_its_schema(found: Held, now: int, size: int) -> None:
    rows, parts = listed(found)
    every = [each for row in rows for each in facts(row, parts)]
    shown = page_value(serializers.page(every, now, size=size))
    assert_fits_schema(schemas.SessionPage(), shown)
    assert [each["id"] for each in shown["data"]] == [row.id for row in rows[:size]]
    assert shown["data"] == [serializers.session(facts(row, parts), now) for row in rows[:size]]
    assert ("nextCursor" in shown) == (len(rows) > size)


@given(found=held, now=st.integers(0, LAST))
@generated
def test_a_serialized_session_has_its_own_fields_and_its_allocations(found: Held, now: int) -> None:
    rows, parts = listed(found)
    for row in rows:
        own = [each for each in parts if each.session == row.id]
        shown = serializers.session(facts(row, own), now)
        assert_fits_schema(schemas.Session(), shown)
        assert (shown["organization"], shown["user"]) == (row.organization, row.user)
        assert (shown["releasedAt"] is None) == rules.is_open(row, now)
        ended_at = rules.released_at(row, now)
        assert shown["releasedAt"] == (None if ended_at is None else to_text(ended_at))
        assert shown["createdAt"] == to_text(row.created_at or 0)
        assert shown["device"]["id"] == own[0].serial
        assert shown["device"]["name"] == own[0].name
        assert [each["id"] for each in shown["devices"]] == [each.id for each in own]
        assert shown["devices"] == serializers.allocation_list(own, now)["data"]


@given(found=held, now=st.integers(0, LAST))
@generated
def test_the_serial_is_absent_while_provisioning_and_released_at_until_the_end(
    found: Held, now: int
) -> None:
    assert_fits_schema(schemas.AllocationList(), serializers.allocation_list(found[1], now))
    for row in found[1]:
        shown = serializers.allocation(row, now)
        assert ("serial" in shown["info"]) == (shown["status"] != "provisioning")
        assert ("releasedAt" in shown) == (shown["status"] == "released")


@given(found=held)
@generated
def test_responses_to_allocate_fit_their_schemas(found: Held) -> None:
    for row in found[1]:
        ready = serializers.allocated(row._replace(in_use_at=None))
        assert_fits_schema(schemas.Allocated(), ready)
        assert ready["device"]["id"] == row.serial
        provisioning = serializers.allocated(row._replace(in_use_at=row.created_at))
        assert_fits_schema(schemas.Allocating(), provisioning)


@given(found=held)
@generated
def test_a_serialized_new_session_fits_its_schema(found: Held) -> None:
    for row in found[0]:
        assert_fits_schema(schemas.NewSession(), serializers.new_session(row))


@given(names=st.lists(texts, max_size=4), began_at=instants, more=st.booleans())
@generated
def test_organizations_fit_their_schema(names: list[str], began_at: int, more: bool) -> None:
    rows = [(uuid(n), name, n) for n, name in enumerate(names)]
    roles = {id: "readonly" for id, *_ in rows} | ({"undeclared": "admin"} if more else {})
    shown = serializers.organizations(rows, roles, began_at)
    assert_fits_schema(schemas.OrganizationList(), shown)
    assert [each["name"] for each in shown["data"]] == names + ["Default"] * more


def test_error_bodies_fit_their_schema() -> None:
    for status in (400, 401, 403, 404, 405, 409, 413, 418, 500, 503):
        assert_fits_schema(schemas.ErrorBody(), errors.error_body(status, "No."))
