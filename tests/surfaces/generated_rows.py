"""Generated rows of each surface and its rules in Python, to compare its statements with."""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from hypothesis import strategies as st

from sessionary.store import Model, Statement
from sessionary.surfaces.galtea import rules as galtea_rules
from sessionary.surfaces.galtea.models import Session as GalteaSession
from sessionary.surfaces.galtea.queries import sessions as galtea
from sessionary.surfaces.mobilenext import queries as mobilenext
from sessionary.surfaces.mobilenext import rules as mobilenext_rules
from sessionary.surfaces.mobilenext.models import Allocation
from sessionary.surfaces.mobilenext.models import Session as MobilenextSession
from sessionary.surfaces.mobilenext.queries import sessions as mobilenext_sessions
from sessionary.surfaces.notte import queries as notte
from sessionary.surfaces.notte import rules as notte_rules
from sessionary.surfaces.notte.models import Session as NotteSession
from sessionary.surfaces.scale import queries as scale
from sessionary.surfaces.scale import rules as scale_rules
from sessionary.surfaces.scale.models import Session, SessionCount, SessionRow
from tests.surfaces.galtea import strategies as galtea_strategies
from tests.surfaces.mobilenext import strategies as mobilenext_strategies
from tests.surfaces.notte import strategies as notte_strategies

Strategy = st.SearchStrategy[Any]
Rule = Callable[[Any, int], bool]


def keep_all(_drawn: Any, _ended: set[str]) -> None:
    """Check nothing: a session has no rows in other tables."""


class Generated(NamedTuple):
    """One surface; `drawn` is a value of `namespaces`.

    A twin is a table, its condition in SQL at an instant, and the rule in Python. `has_ended` says
    by itself what `rule_of_ended` and its twin say: the session has ended before an instant.
    """

    namespaces: Strategy
    instants: Strategy
    fill: Callable[[Any], None]  # replaces the rows of the active namespace
    tables: Callable[[Any], Mapping[type[Model], list[Any]]]  # sessions first
    twins: list[tuple[type[Model], Callable[[int], Any], Rule]]
    by_id: Statement[Any]
    is_own: Callable[[Any, str], bool]  # `by_id` finds the row in this organization
    has_ended: Rule
    rule_of_ended: Rule
    check_left: Callable[[Any, set[str]], None] = keep_all  # after pruning


def around(minutes: int) -> Strategy:
    """Instants around NOW: whole minutes and the microseconds before and after."""
    return st.builds(
        lambda minute, step: notte_strategies.NOW + minute * notte_strategies.MINUTE + step,
        st.integers(-minutes, minutes),
        st.sampled_from((-1, 0, 1)),
    )


# Galtea


def fill_galtea(rows: list[Any]) -> None:
    GalteaSession.delete().execute()
    for row in rows:
        galtea.insert.run(**row._asdict())


def has_ended_in_galtea(row: Any, before_at: int) -> bool:
    if row.deleted_at is not None and row.deleted_at < before_at:
        return True
    if row.status != galtea_rules.PENDING:
        return bool(row.written_at < before_at)
    status = galtea_rules.status(row._replace(deleted_at=None), before_at - 1)
    return status != galtea_rules.PENDING


def galtea_twins() -> list[Any]:
    """Most twins hold among kept sessions only."""
    kept: dict[Callable[[int], Any], Rule] = {
        lambda _: galtea.is_kept: lambda *_: True,
        galtea.has_closed: galtea_rules.has_closed,
        galtea.has_not_closed: lambda row, at: not galtea_rules.has_closed(row, at),
    }
    for count in (1, 2, 3):
        for statuses in map(frozenset, itertools.combinations(galtea_rules.STATUSES, count)):
            kept[partial(galtea.has_status, statuses)] = partial(
                lambda of, row, at: galtea_rules.status(row, at) in of, statuses
            )
    return [
        (GalteaSession, galtea.has_ended_before, galtea_rules.has_ended_before),
        *(
            (
                GalteaSession,
                lambda at, twin=twin: galtea.is_kept & twin(at),
                lambda row, at, rule=rule: galtea_rules.is_kept(row) and rule(row, at),
            )
            for twin, rule in kept.items()
        ),
    ]


# Mobile Next


def has_ended_in_mobilenext(row: Any, before_at: int) -> bool:
    if row.created_at is None:
        status = mobilenext_rules.session_status(row, before_at - 1)
        return status == mobilenext_rules.EXPIRED
    released_at = mobilenext_rules.released_at(row, before_at)
    return released_at is not None and released_at < before_at


def check_allocations_left(drawn: Any, ended: set[str]) -> None:
    left = {each.id for each in drawn[2] if each.session not in ended}
    assert {each.id for each in Allocation.select()} == left


# Scale

_instants = st.integers(0, 9)
_scale_rows = st.builds(
    SessionRow,
    id=st.uuids().map(str),
    account_id=st.sampled_from(("acme", "zeta")),
    title=st.text(max_size=3),
    state=st.just("{}"),
    created_at=st.just(0),
    updated_at=_instants,
    created_by_user_id=st.just("u"),
    created_by_identity_type=st.just("user"),
    start_date=st.none() | _instants,
    end_date=st.none() | _instants,
    archived_at=st.none() | _instants,
    status_since_at=_instants,
)


def fill_scale(rows: list[SessionRow]) -> None:
    for table in (Session, SessionCount):
        table.delete().execute()
    for row in rows:
        scale.insert.run(**row._asdict())
        scale.update_counts(None, row)


def has_ended_in_scale(row: Any, before_at: int) -> bool:
    """A caller may give a past `archived_at`; `updated_at` is the call's instant."""
    return row.archived_at is not None and max(row.archived_at, row.updated_at) < before_at


def check_counts_left(rows: list[SessionRow], ended: set[str]) -> None:
    left = [row for row in rows if row.id not in ended]
    states = Counter((row.account_id, row.archived_at is None) for row in left)
    for each in SessionCount.select():
        account = each.account_id
        assert (each.live, each.archived) == (states[account, True], states[account, False])


GENERATED: Mapping[str, Generated] = {
    "galtea": Generated(
        galtea_strategies.tables(),
        around(12),
        fill_galtea,
        lambda rows: {GalteaSession: rows},
        galtea_twins(),
        galtea.by_id,
        lambda row, organization: row.organization == organization and row.deleted_at is None,
        has_ended_in_galtea,
        galtea_rules.has_ended_before,
    ),
    "mobilenext": Generated(
        mobilenext_strategies.namespaces(),
        st.integers(0, mobilenext_strategies.LAST + 1),
        mobilenext_strategies.fill,
        lambda drawn: {MobilenextSession: drawn[1], Allocation: drawn[2]},
        [
            *(
                (table, partial(twin, table), rule)
                for table in (MobilenextSession, Allocation)
                for twin, rule in (
                    (mobilenext.is_open, mobilenext_rules.is_open),
                    (mobilenext.is_lease_over, mobilenext_rules.is_lease_over),
                )
            ),
            (
                MobilenextSession,
                lambda _: mobilenext.is_listed(),
                lambda row, _: mobilenext_rules.is_listed(row),
            ),
            (MobilenextSession, mobilenext.has_expired, mobilenext_rules.has_expired),
            (MobilenextSession, mobilenext.has_ended, mobilenext_rules.has_ended),
        ],
        mobilenext_sessions.by_id,
        lambda row, organization: row.organization == organization,
        has_ended_in_mobilenext,
        mobilenext_rules.has_ended,
        check_allocations_left,
    ),
    "notte": Generated(
        notte_strategies.namespaces,
        around(90),
        notte_strategies.fill,
        lambda drawn: {NotteSession: [row for row, _ in drawn]},
        [
            (NotteSession, notte.is_active, notte_rules.is_active),
            (NotteSession, notte.has_timed_out, notte_rules.has_timed_out),
            (NotteSession, notte.has_ended_before, notte_rules.has_ended_before),
        ],
        notte.by_id,
        lambda row, organization: row.organization == organization,
        lambda row, at: (row.expires_at if row.ended_at is None else row.ended_at) < at,
        notte_rules.has_ended_before,
    ),
    "scale": Generated(
        st.lists(_scale_rows, max_size=12, unique_by=lambda row: row.id),
        _instants,
        fill_scale,
        lambda rows: {Session: rows},
        [(Session, lambda _: scale.is_live(), lambda row, _: scale_rules.is_live(row))],
        scale.by_id,
        lambda *_: True,
        has_ended_in_scale,
        scale_rules.has_ended,
        check_counts_left,
    ),
}
