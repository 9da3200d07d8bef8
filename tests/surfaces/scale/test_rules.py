from contextlib import nullcontext
from typing import Any

import pytest

from sessionary.identity import Caller
from sessionary.surfaces.scale import rules
from sessionary.surfaces.scale.errors import ScaleError
from sessionary.surfaces.scale.models import SessionRow

AT = 1_000_000_000_000


def session(**facts: Any) -> SessionRow:
    return SessionRow(
        id="s",
        account_id="acme",
        title="t",
        state="{}",
        created_at=AT,
        updated_at=AT,
        created_by_user_id="u",
        created_by_identity_type="user",
        start_date=None,
        end_date=None,
        archived_at=None,
        status_since_at=AT,
    )._replace(**facts)


def caller(**facts: Any) -> Caller:
    return Caller(
        user="u",
        name="Ana",
        email=None,
        identity_type="user",
        key_hash="",
        bound=None,
        default="acme",
        roles={"acme": "admin", "zeta": "readwrite", "mars": "readonly"},
        anywhere=False,
    )._replace(**facts)


LENIENT = caller(roles={"acme": "admin"}, anywhere=True)
ARCHIVED = session(archived_at=AT)


def is_declared(account: str) -> bool:
    return account in ("acme", "zeta", "mars", "closed")


def test_a_session_never_changes_by_itself() -> None:
    row = session(start_date=AT - 2, end_date=AT - 1)
    assert rules.transitions(row) == []
    assert [rules.status(row, at) for at in (AT - 3, AT, AT + 3)] == ["live"] * 3


@pytest.mark.parametrize("archived_at", [AT - 1, AT, AT + 1])
def test_a_session_with_a_future_archived_at_is_archived_already(archived_at: int) -> None:
    assert rules.status(session(archived_at=archived_at), AT) == "archived"


@pytest.mark.parametrize(
    ("start", "end", "holds"),
    [
        (None, None, True),
        (5, None, True),
        (None, 5, True),
        (5, 4, False),
        (5, 5, True),
        (5, 6, True),
        (-5, -6, False),
    ],
)
def test_windows_end_after_their_start(start: int | None, end: int | None, holds: bool) -> None:
    assert rules.is_valid_window(start, end) is holds


@pytest.mark.parametrize(
    ("stored", "body", "holds"),
    [
        ({"start_date": AT}, {"end_date": AT * 1000 - 1}, False),
        ({"start_date": AT}, {"end_date": AT * 1000}, True),
        ({"start_date": AT}, {"end_date": AT * 1000 + 1}, True),
        ({"end_date": AT}, {"start_date": AT * 1000 - 1}, True),
        ({"end_date": AT}, {"start_date": AT * 1000}, True),
        ({"end_date": AT}, {"start_date": AT * 1000 + 1}, False),
        ({"start_date": AT}, {"start_date": None, "end_date": 0}, True),
        ({"start_date": AT, "end_date": AT}, {"end_date": None}, True),
        ({"start_date": AT, "end_date": AT}, {}, True),
        ({}, {"start_date": 8, "end_date": 7}, False),
    ],
)
def test_a_patch_is_validated_with_the_merged_window(
    stored: dict[str, int], body: dict[str, int | None], holds: bool
) -> None:
    assert rules.has_valid_window(session(**stored), body) is holds


@pytest.mark.parametrize(
    ("body", "restores"),
    [
        ({}, False),
        ({"title": "x"}, False),
        ({"restore": False}, False),
        ({"restore": True}, True),
        ({"archived_at": None}, True),
        ({"archived_at": None, "restore": False}, True),
        ({"archived_at": 0}, False),
        ({"archived_at": 5, "restore": True}, True),
    ],
)
def test_restore_or_a_null_archived_at_is_a_restore(body: dict[str, Any], restores: bool) -> None:
    assert rules.is_restore(body) is restores


@pytest.mark.parametrize("body", [{}, {"title": "x"}, {"restore": False}, {"archived_at": 5}])
def test_an_archived_session_can_change_only_with_a_restore(body: dict[str, Any]) -> None:
    with pytest.raises(ScaleError, match="Session s is archived"):
        rules.ensure_can_change(ARCHIVED, body)
    rules.ensure_can_change(ARCHIVED, {**body, "restore": True})
    rules.ensure_can_change(session(), body)


RESTORED = {"archived_at": None, "status_since_at": AT}


@pytest.mark.parametrize(
    ("row", "body", "columns"),
    [
        (session(), {}, {}),
        (session(), {"restore": True}, {}),
        (session(), {"archived_at": None}, {}),
        (session(), {"title": "x"}, {"title": "x"}),
        (session(), {"state": "{}"}, {"state": "{}"}),
        (session(), {"start_date": 1999, "end_date": 2000}, {"start_date": 1, "end_date": 2}),
        (session(start_date=1), {"start_date": None}, {"start_date": None}),
        (session(), {"archived_at": 9_999}, {"archived_at": 9, "status_since_at": AT}),
        (session(), {"archived_at": 0}, {"archived_at": 0, "status_since_at": AT}),
        (session(), {"restore": True, "title": "x"}, {"title": "x"}),
        (ARCHIVED, {"restore": True}, RESTORED),
        (ARCHIVED, {"archived_at": None, "title": "x"}, {**RESTORED, "title": "x"}),
        (ARCHIVED, {"restore": True, "archived_at": 9_000}, {"archived_at": 9}),
    ],
)
def test_a_patch_sets_exactly_the_given_columns(
    row: SessionRow, body: dict[str, Any], columns: dict[str, Any]
) -> None:
    written = {"updated_at": AT} if columns else {}
    assert rules.patched_columns(row, body, AT) == {**columns, **written}


@pytest.mark.parametrize(("at", "shown"), [(AT - 1, AT), (AT, AT), (AT + 1, AT + 1)])
def test_updated_at_never_goes_back(at: int, shown: int) -> None:
    assert rules.next_updated_at(session(), at) == shown


@pytest.mark.parametrize(
    ("nanoseconds", "shown"), [(None, None), (999, 0), (1000, 1), (1001, 1), (-1, -1)]
)
def test_instants_are_truncated_to_microseconds(nanoseconds: int | None, shown: int | None) -> None:
    assert rules.to_microseconds(nanoseconds) == shown


def test_a_bound_key_has_only_the_role_of_its_account() -> None:
    assert rules.account_roles(caller(bound="zeta")) == {"zeta": "readwrite"}
    assert rules.account_roles(caller()) == caller().roles


@pytest.mark.parametrize(
    ("who", "account", "role"),
    [
        (caller(), "acme", "admin"),
        (caller(), "closed", None),
        (caller(), "unheard-of", None),
        (caller(bound="zeta"), "acme", None),
        (LENIENT, "acme", "admin"),
        (LENIENT, "unheard-of", "admin"),
        (LENIENT, "closed", None),
    ],
)
def test_lenient_callers_own_undeclared_accounts(
    who: Caller, account: str, role: str | None
) -> None:
    assert rules.role(who, account, is_declared) == role


@pytest.mark.parametrize(
    ("account", "reading", "writing"),
    [
        ("acme", None, None),
        ("zeta", None, None),
        ("mars", None, "role readonly"),
        ("closed", *["no access to account closed"] * 2),
    ],
)
def test_reading_needs_a_profile_and_writing_a_role_that_writes(
    account: str, reading: str | None, writing: str | None
) -> None:
    for error, to_write in ((reading, False), (writing, True)):
        with pytest.raises(ScaleError, match=error) if error else nullcontext():
            rules.ensure_access(caller(), account, is_declared, to_write=to_write)


def test_header_and_body_must_name_the_same_account() -> None:
    rules.ensure_same_account(None, "acme")
    rules.ensure_same_account("acme", "acme")
    with pytest.raises(ScaleError, match="is zeta, but the account_id of the body is acme"):
        rules.ensure_same_account("zeta", "acme")


@pytest.mark.parametrize(
    ("account", "selected", "is_there"),
    [
        ("acme", None, True),
        ("acme", "acme", True),
        ("acme", "zeta", False),
        ("closed", None, False),
        ("closed", "closed", False),
    ],
)
def test_a_session_is_visible_in_the_caller_s_accounts_within_the_header_s(
    account: str, selected: str | None, is_there: bool
) -> None:
    assert rules.is_visible(caller(), account, selected, is_declared) is is_there


@pytest.mark.parametrize(
    ("who", "selected", "named", "accounts"),
    [
        (caller(), None, None, (["acme", "zeta", "mars"], False)),
        (caller(), "acme", None, (["acme"], False)),
        (caller(), None, "zeta", (["zeta"], False)),
        (caller(), "zeta", "zeta", (["zeta"], False)),
        (caller(), "zeta", "acme", ([], False)),
        (caller(), None, "closed", ([], False)),
        (LENIENT, None, None, (["acme"], True)),
        (LENIENT, None, "unheard-of", (["unheard-of"], False)),
        (LENIENT, "unheard-of", None, (["unheard-of"], False)),
        (LENIENT, None, "closed", ([], False)),
    ],
)
def test_a_list_covers_the_accounts_selected_by_header_and_query(
    who: Caller, selected: str | None, named: str | None, accounts: tuple[list[str], bool]
) -> None:
    assert rules.listed_accounts(who, selected, named, is_declared) == accounts
