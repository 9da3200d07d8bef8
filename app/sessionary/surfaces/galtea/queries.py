"""Lists of sessions: one statement for each set of filters that is asked for."""

from functools import lru_cache
from typing import Any, NamedTuple

import peewee as pw

from sessionary import ids
from sessionary.store import Statement, param, param_list
from sessionary.surfaces.galtea import models, rules
from sessionary.surfaces.galtea.models import Session, SessionRow
from sessionary.web import json_codec

# The column that must be among a filter's values.
COLUMNS: dict[str, Any] = {
    "ids": Session.id,
    "custom_ids": Session.custom_id,
    "product_ids": Session.product,
    "version_ids": Session.version,
    "test_case_ids": Session.test_case,
    "test_ids": Session.test,
    "user_ids": Session.user,
    "run_ids": Session.run,
    "involved_in_run_ids": Session.run,
}
_FEW_ROWS_EACH = {"ids", "custom_ids", "test_case_ids", "run_ids", "involved_in_run_ids"}


class Filters(NamedTuple):
    """Which filters a list has."""

    single: frozenset[str]  # of COLUMNS, with one value: an index then gives the list's order
    several: frozenset[str]  # of COLUMNS, with more
    excludes_tests: bool
    statuses: frozenset[str]
    since: bool
    until: bool
    newest_first: bool


def find(query: dict[str, Any], *, organization: str, now: int) -> list[SessionRow]:
    """The sessions that a loaded ListQuery asks for, as they are now.

    Source: docs. `ids` is strict: one that is missing after every filter, and before limit and
    offset, is refused.
    """
    asked = _asked(query)
    values = {name: _parameter(found) for name, found in asked.items()}
    since, until = query.get("from_created_at"), query.get("to_created_at")
    wanted, limit, offset = asked.get("ids"), query["limit"], query["offset"]
    rows = page(_filters(query, asked)).all(
        organization=organization,
        now=now,
        exclude_test_ids=json_codec.encode(query["exclude_test_ids"]),
        # Nanoseconds that were asked for, rounded to the microseconds within the bounds.
        from_created_at=None if since is None else -(-since // 1000),
        to_created_at=None if until is None else until // 1000,
        limit=len(wanted) if wanted else limit,
        offset=0 if wanted else offset,
        **values,
    )
    if not wanted:
        return rows
    rules.are_all_there(wanted, {row.id for row in rows})
    return rows[offset : offset + limit]


def _asked(query: dict[str, Any]) -> dict[str, list[str]]:
    """Each filter's distinct values; a user's id matches in any case."""
    asked = {name: list(dict.fromkeys(query[name])) for name in COLUMNS if query[name]}
    if "user_ids" in asked:
        asked["user_ids"] = [ids.canonical(each) for each in asked["user_ids"]]
    return asked


def _parameter(values: list[str]) -> str:
    return values[0] if len(values) == 1 else json_codec.encode(values)


def _filters(query: dict[str, Any], asked: dict[str, list[str]]) -> Filters:
    single = frozenset(name for name, values in asked.items() if len(values) == 1)
    return Filters(
        single=single,
        several=frozenset(asked) - single,
        excludes_tests=bool(query["exclude_test_ids"]),
        statuses=frozenset(query["statuses"]),
        since="from_created_at" in query,
        until="to_created_at" in query,
        newest_first=query["sort"][1] == "desc",
    )


@lru_cache(maxsize=512)  # sets of filters; what nobody asks for again makes room
def page(filters: Filters) -> Statement[SessionRow]:
    """Sessions of an organization that pass every filter, in order of creation.

    Assumed: newest first unless asked otherwise.
    """

    def query() -> Any:
        found = Session.select(*models.COLUMNS).where(models.is_ours, *_conditions(filters))
        order = [each.desc() if filters.newest_first else each.asc() for each in _order(filters)]
        return found.order_by(*order).limit(param("limit")).offset(param("offset"))

    return Statement(SessionRow._make, query)


def _order(filters: Filters) -> list[Any]:
    """Where a few rows are sought by several values, sort those: no index walk in list order."""
    is_sought = bool(filters.several & _FEW_ROWS_EACH)
    return [each + 0 if is_sought else each for each in models.ORDER]


def _conditions(filters: Filters) -> list[Any]:
    """Values of one filter are alternatives, all filters must hold. Source: docs."""
    found = [COLUMNS[name] == param(name) for name in sorted(filters.single)]
    found += [COLUMNS[name].in_(param_list(name)) for name in sorted(filters.several)]
    if filters.excludes_tests:
        found.append(Session.test.not_in(param_list("exclude_test_ids")))
    if filters.statuses:
        found.append(_has_status(filters.statuses))
    if filters.since:
        found.append(Session.created_at >= param("from_created_at"))
    if filters.until:
        found.append(Session.created_at <= param("to_created_at"))
    return found


def _has_status(statuses: frozenset[str]) -> Any:
    """rules.status(row, now) is one of these, as SQL says it.

    PENDING or FAILED alone is an equality, which an index serves; COMPLETED is what most are.
    """
    if statuses == {rules.FAILED}:
        return Session.status == rules.FAILED
    if statuses == {rules.PENDING}:
        is_open = Session.expires_at.is_null() | (Session.expires_at > param("now"))
        return (Session.status == rules.PENDING) & is_open
    has_closed = Session.expires_at <= param("now")
    shown = pw.Case(None, [(has_closed, rules.COMPLETED)], Session.status)
    return shown.in_(sorted(statuses))
