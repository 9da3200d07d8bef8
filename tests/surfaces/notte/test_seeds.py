"""Notte's sessions in the seed file."""

import pytest

from sessionary.seeds.loader import BadSeed
from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

ID = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
ACME = '[[organizations]]\nid = "acct-acme"\nname = "Acme"\n'


def table(**facts: object) -> str:
    """A seed with one session of the lenient caller's organization."""
    given = {"id": ID, "organization": "acct-acme", "created_ago": "4m", **facts}
    words = {True: "true", False: "false"}
    lines = [
        f"{name} = {words[value] if isinstance(value, bool) else repr(value)}"
        for name, value in given.items()
        if value is not None
    ]
    return ACME + "\n".join(["[[notte.sessions]]", *lines])


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, {"status": "active", "timeout_minutes": 5, "duration": "PT4M"}),
        (
            {"created_ago": "20m", "last_accessed_ago": "10m"},
            {
                "status": "timed_out",
                "closed_at": "2026-03-01T11:55:00.000000Z",
                "close_reason": "idle_timeout",
                "duration": "PT15M",
            },
        ),
        (
            {"closed_ago": "1m"},
            {"status": "closed", "close_reason": "manual", "duration": "PT3M", "error": None},
        ),
        (
            {"closed_ago": "1m", "close_reason": "error"},
            {"status": "closed", "close_reason": "error"},
        ),
        (
            {"closed_ago": "1m", "error": "crashed"},
            {"status": "error", "close_reason": "error", "error": "crashed"},
        ),
        (
            {"max_duration_minutes": 3, "timeout_minutes": 3},
            {"status": "timed_out", "max_duration_minutes": 3, "idle_timeout_minutes": 3},
        ),
        ({"created_ago": "9d", "outlives_timeout": True}, {"status": "active", "duration": "P9D"}),
        ({"id": ID.upper()}, {"session_id": ID}),
    ],
)
def test_a_session_is_seeded_in_any_state(
    app: App, notte: NotteClient, facts: dict[str, object], shown: dict[str, object]
) -> None:
    app.seed(table(**facts))
    found = notte.status(ID)
    assert {name: found[name] for name in shown} == shown


def test_a_seeded_session_without_a_maximum_is_shown_as_of_v1(notte: NotteClient) -> None:
    notte.app.seed(table())
    assert "max_duration_minutes" not in notte.status(ID)


def test_a_seeded_session_takes_operations(app: App, notte: NotteClient) -> None:
    app.seed(table(url="https://example.com"))
    seen = ok_json(notte.post("/env/observe", {"session_id": ID, "keep_alive": True}))
    assert seen["metadata"]["url"] == "https://example.com"
    assert seen["session"]["last_accessed_at"] == "2026-03-01T12:00:00.000000Z"


def test_a_failed_session_shows_its_error_when_it_is_used(app: App, notte: NotteClient) -> None:
    app.seed(table(closed_ago="1m", error="crashed"))
    response = notte.post("/env/observe", {"session_id": ID})
    assert error_detail(response, 404) == f"Session {ID} ended with an error: crashed"
    assert ok_json(notte.post("/session/close", {"session_id": ID}))["status"] == "error"
    assert "already closed" in error_detail(notte.delete(f"/sessions/{ID}/stop"), 400)


def test_a_seeded_session_belongs_to_the_key_that_it_names(app: App, notte: NotteClient) -> None:
    app.seed(table(key="sk-notte-ana"))
    assert notte.list_ids(only_current_token=True) == [ID]
    assert NotteClient(app, key="sk-notte-rob").list_ids(only_current_token=True) == []


def test_a_seed_that_is_applied_again_changes_nothing(app: App) -> None:
    app.seed(table(closed_ago="1m"))
    before = app.rows("notte_sessions")
    app.advance(days=1)
    app.seed(table(closed_ago="1m"))
    assert app.rows("notte_sessions") == before


def test_an_existing_session_is_updated_from_the_seed(app: App, notte: NotteClient) -> None:
    app.seed(table())
    app.seed(table(timeout_minutes=9, closed_ago="1m"))
    assert notte.status(ID)["timeout_minutes"] == 9
    assert notte.status(ID)["status"] == "closed"
    assert len(app.rows("notte_sessions")) == 1


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"id": "not-a-uuid"}, "id: "),
        ({"organization": None}, "organization: is required"),
        ({"organization": "unknown"}, "organization 'unknown' does not exist"),
        ({"created_ago": None}, "created_ago: is required"),
        ({"created_ago": "yesterday"}, "created_ago: must be a duration"),
        ({"timeout_minutes": 0}, "timeout_minutes: must be at least 1"),
        (
            {"max_duration_minutes": 1441},
            "max_duration_minutes: must be at least 1 and at most 1440",
        ),
        ({"outlives_timeout": 1}, "outlives_timeout: must be true or false"),
        ({"last_accessed_ago": "5m"}, "must follow each other"),
        ({"closed_ago": "5m"}, "must follow each other"),
        ({"closed_ago": "1m", "last_accessed_ago": "30s"}, "must follow each other"),
        ({"created_ago": "20m", "closed_ago": "1m"}, "closed_ago must not be after the timeout"),
        (
            {"max_duration_minutes": 3, "last_accessed_ago": "30s"},
            "last_accessed_ago must not be after max_duration_minutes",
        ),
        ({"error": "crashed"}, "error and close_reason need closed_ago"),
        ({"close_reason": "manual"}, "error and close_reason need closed_ago"),
        ({"closed_ago": "1m", "close_reason": "unknown"}, "close_reason: must be one of"),
        ({"status": "closed"}, "status: is not a known field"),
    ],
)
def test_an_invalid_row_is_refused_with_its_place_and_reason(
    app: App, facts: dict[str, object], why: str
) -> None:
    with pytest.raises(BadSeed, match=r"seed\.toml, \[\[notte\.sessions\]\] number 1") as refused:
        app.seed(table(**facts))
    assert why in str(refused.value)
    assert app.rows("notte_sessions") == []
    assert app.rows("organization") == []
