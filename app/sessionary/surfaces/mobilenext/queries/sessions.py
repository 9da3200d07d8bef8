"""Statements over sessions, and the order of their `createdAt` in an organization."""

from functools import cache
from typing import Any

import peewee as pw

from sessionary.identity import Organization
from sessionary.store import (
    Statement,
    existed,
    insert_statement,
    narrowed,
    param,
    param_list,
    param_rows,
)
from sessionary.surfaces.mobilenext import queries
from sessionary.surfaces.mobilenext.models import (
    Allocation,
    JoinedRow,
    Mark,
    MarkRow,
    Session,
    SessionRow,
)
from sessionary.surfaces.mobilenext.queries import allocations

COLUMNS = [getattr(Session, name) for name in SessionRow._fields]
_LISTED = (Session.id, Session.organization, Session.user, Session.created_at, Session.released_at)

by_id = Statement(
    SessionRow._make,
    lambda: Session.select(*COLUMNS).where(
        Session.id == param("id"), Session.organization == param("organization")
    ),
)
insert = insert_statement(Session, without=("seq",))
set_created_at = Statement(
    tuple,
    lambda: Session.update(
        created_at=param("created_at"),
        expires_at=param("expires_at"),
        status_since_at=param("status_since_at"),
    ).where(Session.id == param("id"), ~queries.is_listed()),
)
set_released_at = Statement(
    tuple,
    lambda: Session.update(
        released_at=param("released_at"), status_since_at=param("status_since_at")
    ).where(Session.id == param("id"), Session.released_at.is_null()),
)
reopen = Statement(
    tuple,
    lambda: Session.update(released_at=None, status_since_at=param("status_since_at")).where(
        Session.id == param("id"), Session.released_at.is_null(False)
    ),
)


def _last_release_at() -> Any:
    """SQL twin of `rules.last_release_at`."""
    released_at = Allocation.released_at
    are_all = pw.fn.COUNT(Allocation.id) == pw.fn.COUNT(released_at)
    last = pw.Case(None, [(are_all, pw.fn.MAX(released_at))])
    return Allocation.select(last).where(Allocation.session == Session.id)


def _active_since_at() -> Any:
    """SQL twin of `rules.active_since_at`: the last allocation before which none was held."""
    earlier = Allocation.alias()
    is_held = earlier.select(pw.SQL("1")).where(
        earlier.session == Allocation.session,
        earlier.created_at < Allocation.created_at,
        earlier.released_at.is_null() | (earlier.released_at >= Allocation.created_at),
    )
    return Allocation.select(pw.fn.MAX(Allocation.created_at)).where(
        Allocation.session == Session.id, ~pw.fn.EXISTS(is_held)
    )


store_last_releases = Statement(
    tuple,
    lambda: Session.update(
        released_at=_last_release_at(),
        status_since_at=pw.fn.COALESCE(_last_release_at(), _active_since_at(), Session.opened_at),
    ).where(Session.id.in_(param_list("ids"))),
)


def _select_joined(session: Any) -> Any:
    of_session = (session.organization, session.user, session.released_at)
    return Allocation.select(*of_session, *allocations.COLUMNS)


with_allocations = Statement(
    JoinedRow._make,
    lambda: (
        _select_joined(Session)
        .join(Session)
        .where(Session.id == param("id"), Session.organization == param("organization"))
        .order_by(Allocation.seq)
    ),
)


@cache
def page(*, only_before: bool) -> Statement[JoinedRow]:
    """Listed sessions of an organization, newest first; with a cursor, those created before it.

    One row for each allocation; `limit` counts sessions.
    """

    def query() -> Any:
        listed = Session.select(*_LISTED).where(
            Session.organization == param("organization"),
            queries.is_listed(),
            existed(Session.created_at),
        )
        if only_before:
            listed = listed.where(Session.created_at < param("before"))
        newest = listed.order_by(Session.created_at.desc()).limit(param("limit"))
        newest = narrowed(newest).alias("newest")
        # The cross join fixes the order of work: first the page, then its allocations.
        each = pw.Join(newest, Allocation, pw.JOIN.CROSS)
        newest_first = (newest.c.created_at.desc(), Allocation.seq)
        of_newest = Allocation.session == newest.c.id
        return _select_joined(newest.c).from_(each).where(of_newest).order_by(*newest_first)

    return Statement(JoinedRow._make, query)


mark = Statement(
    MarkRow._make,
    lambda: Mark.select(Mark.created_at, Mark.moves).where(
        Mark.organization == param("organization")
    ),
)
put_mark = Statement(
    tuple,
    lambda: Mark.insert(
        organization=param("organization"), created_at=param("created_at"), moves=param("moves")
    ).on_conflict(conflict_target=[Mark.organization], preserve=[Mark.created_at, Mark.moves]),
)


def _to_int(row: tuple[Any, ...]) -> int:
    return int(row[0])


def _is_other(session: Any) -> Any:
    """Another session of the organization than the one that a `createdAt` is chosen for."""
    return (session.organization == param("organization")) & (session.id != param("session"))


is_created_at_taken = Statement(
    _to_int,
    lambda: Session.select(pw.SQL("1")).where(
        _is_other(Session), Session.created_at == param("created_at")
    ),
)


def _last_of_run() -> Any:
    following = Session.alias()
    is_followed = following.select(pw.SQL("1")).where(
        _is_other(following), following.created_at == Session.created_at + 1
    )
    return (
        Session.select(Session.created_at)
        .where(
            _is_other(Session),
            Session.created_at >= param("created_at"),
            ~pw.fn.EXISTS(is_followed),
        )
        .order_by(Session.created_at)
        .limit(1)
    )


# The last value of the uninterrupted run of taken ones that begins at `created_at`.
last_taken_created_at = Statement(_to_int, _last_of_run)

# Which of these pairs of organization and `createdAt` are taken, and by which session.
at_places = Statement(
    lambda row: ((str(row[0]), int(row[1])), str(row[2])),
    lambda: Session.select(Session.organization, Session.created_at, Session.id).where(
        pw.Tuple(Session.organization, Session.created_at).in_(param_rows("places", 2))
    ),
)
# Id, name and creation of the organizations that these members see.
organizations: Statement[tuple[str, str, int]] = Statement(
    tuple,
    lambda: (
        Organization.select(Organization.id, Organization.name, Organization.created_at)
        .where(Organization.id.in_(param_list("ids")))
        .order_by(Organization.seq)
    ),
)
