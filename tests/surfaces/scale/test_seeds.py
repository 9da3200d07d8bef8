from typing import Any

import pytest

from sessionary.seeds.loader import BadSeed
from tests.conftest import App
from tests.identities import ANA, BOT
from tests.surfaces.scale.conftest import SEED, Caller

SESSION_ID = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02"


def session(**fields: str) -> str:
    """Return a table of the seed file; each field is TOML."""
    given = {"id": f'"{SESSION_ID}"', "account_id": '"acme"', "created_ago": '"2d"', **fields}
    return "[[scale.sessions]]\n" + "\n".join(f"{name} = {value}" for name, value in given.items())


def test_a_seeded_session_is_returned_with_its_fields(strict: App, ana: Caller) -> None:
    strict.seed(
        session(
            title='"Quarterly review"',
            user=f'"{BOT}"',
            state='{ step = 3, deep = { list = [1, "a", true] } }',
            start_date="2026-03-01T09:00:00+02:00",
            end_date='"2026-03-01T10:00:00Z"',
            updated_ago='"1d"',
        )
    )
    assert ana.show(SESSION_ID) == {
        "id": SESSION_ID,
        "title": "Quarterly review",
        "state": {"step": 3, "deep": {"list": [1, "a", True]}},
        "created_at": "2026-02-27T12:00:00.000000Z",
        "updated_at": "2026-02-28T12:00:00.000000Z",
        "created_by_user_id": BOT,
        "created_by_identity_type": "service_account",
        "account_id": "acme",
        "start_date": "2026-03-01T07:00:00.000000Z",
        "end_date": "2026-03-01T10:00:00.000000Z",
    }
    assert ana.page()["items"] == [ana.show(SESSION_ID)]


def test_a_minimal_seed_has_empty_fields_and_an_unknown_creator(strict: App, ana: Caller) -> None:
    strict.seed(session())
    shown = ana.show(SESSION_ID)
    assert (shown["title"], shown["state"]) == ("", {})
    assert shown["created_by_user_id"] == "00000000-0000-0000-0000-000000000000"
    assert shown["created_by_identity_type"] == "user"
    assert shown["updated_at"] == shown["created_at"] == "2026-02-27T12:00:00.000000Z"


def test_updated_at_of_an_archived_seed_is_its_archived_at(strict: App, ana: Caller) -> None:
    strict.seed(session(archived_ago='"1d"'))
    shown = ana.show(SESSION_ID)
    assert shown["archived_at"] == shown["updated_at"] == "2026-02-28T12:00:00.000000Z"
    assert ana.page()["total_item_count"] == 0
    assert ana.page(include_archived="true")["total_item_count"] == 1


def test_a_seeded_id_matches_in_any_case(strict: App, ana: Caller) -> None:
    strict.seed(session(id=f'"{SESSION_ID.upper()}"'))
    strict.seed(session())
    assert ana.page()["total_item_count"] == 1


def test_applying_a_seed_again_later_changes_nothing(strict: App, ana: Caller) -> None:
    text = session(archived_ago='"1d"') + "\n" + session(id=f'"{ANA}"', title='"live"')
    strict.seed(text)
    before = strict.rows("scale_sessions"), strict.rows("scale_counts")
    strict.advance(days=3)
    strict.seed(text)
    assert (strict.rows("scale_sessions"), strict.rows("scale_counts")) == before
    assert strict.rows("scale_counts") == [("acme", 1, 1)]
    assert ana.page()["total_item_count"] == 1


def test_totals_stay_exact_when_a_seed_moves_or_archives_sessions(strict: App, ana: Caller) -> None:
    strict.seed(session())
    strict.seed(session(account_id='"zeta"'))
    assert strict.rows("scale_counts") == [("acme", 0, 0), ("zeta", 1, 0)]
    strict.seed(session(account_id='"zeta"', archived_ago='"1d"'))
    assert strict.rows("scale_counts") == [("acme", 0, 0), ("zeta", 0, 1)]
    ana.patch(SESSION_ID, {"restore": True})
    strict.seed(session())
    assert strict.rows("scale_counts") == [("acme", 1, 0), ("zeta", 0, 0)]
    assert ana.delete(SESSION_ID).json["count"] == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"account_id": '"nowhere"'}, "organization 'nowhere' does not exist"),
        ({"user": f'"{SESSION_ID}"'}, "user .* does not exist"),
        ({"user": '"ana"'}, "user"),
        ({"id": '"not a uuid"'}, "id"),
        ({"title": "5"}, "title: must be a string"),
        ({"state": '"{}"'}, "state: must be an object"),
        ({"state": "{ day = 2026-01-01 }"}, "state: holds a date or a time; write it as text"),
        ({"state": "{ at = 2026-01-01T00:00:00Z }"}, "state: holds a date or a time"),
        ({"state": "{ a = [{ at = 10:00:00 }] }"}, "state: holds a date or a time"),
        ({"state": "{ x = nan }"}, "state: holds what JSON cannot"),
        ({"state": "{ x = [-inf] }"}, "state: holds what JSON cannot"),
        ({"state": "{ x = " + "[" * 100 + "]" * 100 + " }"}, "state: .* nested deeper than 100"),
        ({"created_ago": '"yesterday"'}, "created_ago: must be a duration"),
        ({"archived_ago": '"3d"'}, "must follow each other"),
        ({"updated_ago": '"3d"'}, "must follow each other"),
        ({"archived_ago": '"1h"', "updated_ago": '"2h"'}, "must follow each other"),
        ({"start_date": "2026-01-01"}, "start_date: must be a date-time with an offset"),
        (
            {"start_date": "2026-01-02T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
            "end_date must not be before start_date",
        ),
        ({"archived": "true"}, "archived: is not a known field"),
    ],
)
def test_an_invalid_seed_is_rejected_with_a_reason_and_nothing_is_applied(
    app: App, fields: dict[str, str], why: str
) -> None:
    app.seed(SEED)
    text = session(id=f'"{ANA}"') + "\n" + session(**fields)
    with pytest.raises(BadSeed, match=why) as refused:
        app.seed(text)
    assert "seed.toml, [[scale.sessions]] number 2" in str(refused.value)
    assert app.rows("scale_sessions") == app.rows("scale_counts") == []


def test_a_seeded_window_may_be_in_the_past_or_empty(strict: App, ana: Caller) -> None:
    dates: Any = "2999-01-01T00:00:00Z"
    strict.seed(session(start_date=dates, end_date=dates))
    shown = ana.show(SESSION_ID)
    assert shown["start_date"] == shown["end_date"] == "2999-01-01T00:00:00.000000Z"
