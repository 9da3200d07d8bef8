"""Lists of sessions: one statement for each combination of filters."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from sessionary import ids
from sessionary.store import Statement, existed, narrowed, param, param_list
from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import Session, SessionRow
from sessionary.surfaces.galtea.queries.sessions import COLUMNS, has_status, is_own
from sessionary.web import json_codec

# The column that must have one of a filter's values.
FILTERS: dict[str, Any] = {
    "ids": Session.id,
    "custom_ids": Session.custom_id,
    "product_ids": Session.product,
    "version_ids": Session.version,
    "test_case_ids": Session.test_case,
    "test_ids": Session.test,
    "dataset_ids": Session.test,
    "user_ids": Session.user,
    "run_ids": Session.run,
    "involved_in_run_ids": Session.run,
}
_FEW_ROWS_EACH = {"ids", "custom_ids", "test_case_ids", "run_ids", "involved_in_run_ids"}
_OTHERS: dict[str, Any] = {
    "exclude_test_ids": Session.test.not_in(param_list("exclude_test_ids")),
    "from_created_at": Session.created_at >= param("from_created_at"),
    "to_created_at": Session.created_at <= param("to_created_at"),
}


class Filters(NamedTuple):
    """Which filters a list has; each combination is another statement."""

    single: frozenset[str] = frozenset()  # of FILTERS, with one value: an index gives the order
    several: frozenset[str] = frozenset()  # of FILTERS, with more values
    others: frozenset[str] = frozenset()  # of _OTHERS
    statuses: frozenset[str] = frozenset()
    newest_first: bool = True


def find(query: dict[str, Any], *, organization: str, now: int) -> Iterator[SessionRow]:
    """The sessions of a loaded ListQuery, with their status at `now`. Source: docs.

    Raises NotFound at their end if one of `ids` is missing after every filter, before limit and
    offset.
    """
    values = {name: list(dict.fromkeys(query[name])) for name in FILTERS if query[name]}
    if "user_ids" in values:
        values["user_ids"] = [ids.canonical(each) for each in values["user_ids"]]
    single = frozenset(name for name, each in values.items() if len(each) == 1)
    others = frozenset(name for name in _OTHERS if query.get(name) not in (None, []))
    statuses, newest_first = frozenset(query["statuses"]), query["sort"][1] == "desc"
    filters = Filters(single, frozenset(values) - single, others, statuses, newest_first)
    since, until = query.get("from_created_at"), query.get("to_created_at")
    required, limit, offset = values.get("ids"), query["limit"], query["offset"]
    rows = page(filters).rows(
        organization=organization,
        now=now,
        exclude_test_ids=json_codec.encode(query["exclude_test_ids"]),
        # The bounds are nanoseconds: rounded to the microseconds that lie within them.
        from_created_at=None if since is None else -(-since // 1000),
        to_created_at=None if until is None else until // 1000,
        limit=len(required) if required else limit,
        offset=0 if required else offset,
        **{n: v[0] if len(v) == 1 else json_codec.encode(v) for n, v in values.items()},
    )
    return _required_rows(rows, required, offset, limit) if required else rows


def _required_rows(
    rows: Iterator[SessionRow], required: list[str], offset: int, limit: int
) -> Iterator[SessionRow]:
    found = set()
    for number, row in enumerate(rows):
        found.add(row.id)
        if offset <= number < offset + limit:
            yield row
    rules.ensure_all_exist(required, found)


@lru_cache(maxsize=512)  # combinations of filters
def page(filters: Filters) -> Statement[SessionRow]:
    """Sessions of an organization that pass every filter, in order of creation."""

    def query() -> Any:
        # `+ 0` makes SQLite sort a few found rows rather than walk the index of the order.
        is_search = bool(filters.several & _FEW_ROWS_EACH)
        order = [each + 0 if is_search else each for each in (Session.created_at, Session.seq)]
        conditions = is_own, *_conditions(filters)
        return narrowed(
            Session.select(*COLUMNS)
            .where(*conditions, *([] if is_search else [existed(Session.created_at)]))
            .order_by(*(each.desc() if filters.newest_first else each.asc() for each in order))
            .limit(param("limit"))
            .offset(param("offset"))
        )

    return Statement(SessionRow._make, query)


def _conditions(filters: Filters) -> list[Any]:
    """Values of one filter are alternatives; all filters must hold. Source: docs."""
    found = [FILTERS[name] == param(name) for name in sorted(filters.single)]
    found += [FILTERS[name].in_(param_list(name)) for name in sorted(filters.several)]
    found += [_OTHERS[name] for name in sorted(filters.others)]
    if filters.statuses:
        found.append(has_status(filters.statuses, param("now")))
    return found
