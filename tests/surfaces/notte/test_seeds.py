import pytest

from tests.conftest import App
from tests.seed_rows import ID, row
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json


@pytest.fixture
def notte(strict: App) -> NotteClient:
    return NotteClient(strict)


def test_a_seeded_session_takes_operations(strict: App, notte: NotteClient) -> None:
    strict.seed(row("notte.sessions", 'url = "https://example.com"'))
    seen = ok_json(notte.post("/env/observe", {"session_id": ID, "keep_alive": True}))
    assert seen["metadata"]["url"] == "https://example.com"
    assert seen["session"]["last_accessed_at"] == "2026-03-01T12:00:00.000000Z"


def test_a_failed_session_shows_its_error_when_it_is_used(strict: App, notte: NotteClient) -> None:
    strict.seed(row("notte.sessions", 'closed_ago = "1m"; error = "crashed"'))
    response = notte.post("/env/observe", {"session_id": ID})
    assert error_detail(response, 404) == f"Session {ID} ended with an error: crashed"
    assert ok_json(notte.post("/session/close", {"session_id": ID}))["status"] == "error"
    assert "already closed" in error_detail(notte.delete(f"/sessions/{ID}/stop"), 400)


def test_a_seeded_session_belongs_to_the_key_that_it_names(strict: App, notte: NotteClient) -> None:
    strict.seed(row("notte.sessions", 'key = "sk-notte-ana"'))
    assert notte.list_ids(only_current_token=True) == [ID]
    assert NotteClient(strict, key="sk-notte-rob").list_ids(only_current_token=True) == []
