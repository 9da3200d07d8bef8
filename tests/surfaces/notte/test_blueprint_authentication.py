"""Keys, organizations, and the paths at which the surface answers."""

import pytest

from sessionary import __version__
from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

CALLS = [
    ("POST", "/session/start"),
    ("POST", "/session/close"),
    ("POST", "/env/observe"),
    ("POST", "/env/step"),
    ("POST", "/env/scrape"),
    ("POST", "/sessions/start"),
    ("GET", "/sessions/"),
    ("GET", "/sessions/x"),
    ("DELETE", "/sessions/x/stop"),
    ("POST", "/sessions/x/page/observe"),
    ("POST", "/sessions/x/page/execute"),
    ("POST", "/sessions/x/page/scrape"),
]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic c2s6"},
        {"Authorization": "sk-notte-ana"},
        {"x-api-key": "sk-notte-ana"},
    ],
)
def test_a_call_without_a_bearer_token_is_401(app: App, headers: dict[str, str]) -> None:
    for method, path in CALLS:
        response = app.client.open(f"/notte{path}", method=method, headers=headers, data="{")
        assert error_detail(response, 401) == "Not authenticated"
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("key", ["sk-notte-unknown", "sk-notte-elsewhere", "ä"])
def test_a_strict_server_accepts_only_its_own_keys(strict: App, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    for method, path in CALLS:
        response = strict.client.open(f"/notte{path}", method=method, headers=headers)
        assert error_detail(response, 401) == "Not authenticated"
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_lenient_server_accepts_any_bearer_token(app: App) -> None:
    for key in ("x", "sk-notte-anything", "gsk_elsewhere"):
        assert NotteClient(app.client, key=key).start()["status"] == "active"


def test_the_scheme_bearer_is_accepted_in_any_case(app: App) -> None:
    response = app.client.get("/notte/sessions", headers={"Authorization": "bearer x"})
    ok_json(response)


def test_a_key_is_refused_from_its_expiry_on(strict: App) -> None:
    expiring = NotteClient(strict.client, key="sk-notte-expiring")
    strict.advance(minutes=1, microseconds=-1)
    expiring.start()
    strict.advance(microseconds=1)
    error_detail(expiring.post("/session/start"), 401)


def test_a_session_of_another_organization_is_not_found(strict: App) -> None:
    ana, zoe = NotteClient(strict.client), NotteClient(strict.client, key="sk-notte-zoe")
    session_id = ana.start()["session_id"]
    strict.advance(minutes=1)
    before = strict.rows("notte_sessions")
    for method, path in CALLS:
        if path in ("/sessions/start", "/sessions/"):
            continue
        there = f"/notte{path.replace('x', session_id, 1) if '/x' in path else path}"
        body = {"json": {"session_id": session_id, "type": "goto", "action_id": "B1"}}
        response = zoe.client.open(there, method=method, headers=zoe.headers, **body)
        assert error_detail(response, 404) == f"Session {session_id} not found"
    assert zoe.list_ids(only_active=False) == []
    assert strict.rows("notte_sessions") == before


def test_a_key_bound_to_an_organization_acts_there(strict: App) -> None:
    bound = NotteClient(strict.client, key="sk-notte-ana-in-zeta")
    session_id = bound.start()["session_id"]
    assert NotteClient(strict.client, key="sk-notte-zoe").list_ids() == [session_id]
    assert NotteClient(strict.client).list_ids() == []


def test_the_members_of_an_organization_share_its_sessions(strict: App) -> None:
    session_id = NotteClient(strict.client).start()["session_id"]
    bot = NotteClient(strict.client, key="sk-notte-bot")
    assert bot.start(session_id=session_id)["session_id"] == session_id


def test_a_user_without_an_organization_gets_403_after_the_body_is_checked(strict: App) -> None:
    cleo = NotteClient(strict.client, key="sk-notte-cleo")
    error_detail(cleo.post("/session/start", {"keep_alive": 1}), 400)
    for response in (
        cleo.post("/session/start"),
        cleo.get("/sessions/"),
        cleo.get("/sessions/x"),
    ):
        assert error_detail(response, 403) == "This key belongs to no organization"
    assert strict.rows("notte_sessions") == []


@pytest.mark.parametrize("prefix", ["/notte", ""])
def test_health_needs_no_key_and_counts_active_sessions(
    app: App, notte: NotteClient, prefix: str
) -> None:
    closed = notte.start()["session_id"]
    notte.start()
    notte.start_v4()
    ok_json(notte.post("/session/close", {"session_id": closed}))
    for minutes, count in ((3, 2), (1, 1), (2, 0)):
        app.advance(minutes=minutes)
        health = ok_json(app.client.get(f"{prefix}/health"))
        assert health == {"status": "healthy", "version": __version__, "active_sessions": count}


@pytest.mark.parametrize("path", ["/session/start", "/sessions/start"])
def test_v1_and_v4_start_sessions_at_the_root(app: App, path: str) -> None:
    assert ok_json(NotteClient(app.client, prefix="").post(path))["status"] == "active"


def test_every_v1_route_answers_at_the_root(app: App) -> None:
    root = NotteClient(app.client, prefix="")
    session_id = root.start()["session_id"]
    body = {"session_id": session_id, "keep_alive": True, "action_id": "B1"}
    for path in ("/env/observe", "/env/step", "/env/scrape"):
        assert ok_json(root.post(path, body))["session"]["session_id"] == session_id
    assert ok_json(root.post("/session/close", body))["status"] == "closed"


def test_every_v4_route_answers_at_the_root_with_the_sdk_header(app: App) -> None:
    root = NotteClient(app.client, prefix="")
    root.headers["x-notte-sdk-version"] = "1.10.0"
    session_id = root.start_v4()["session_id"]
    assert root.status(session_id)["status"] == "active"
    assert root.list_ids() == [session_id]
    assert [item["session_id"] for item in ok_json(root.get("/sessions"))["items"]] == [session_id]
    for operation in ("observe", "execute", "scrape"):
        ok_json(root.post(f"/sessions/{session_id}/page/{operation}", {"type": "goto"}))
    assert ok_json(root.delete(f"/sessions/{session_id}/stop"))["status"] == "closed"


def test_a_stop_at_the_root_needs_no_sdk_header(app: App) -> None:
    root = NotteClient(app.client, prefix="")
    session_id = root.start_v4()["session_id"]
    assert ok_json(root.delete(f"/sessions/{session_id}/stop/"))["status"] == "closed"
    assert NotteClient(app.client).status(session_id)["status"] == "closed"


@pytest.mark.parametrize("path", ["/sessions", "/sessions/", "/sessions/x"])
def test_other_reads_of_sessions_at_the_root_are_galteas(app: App, path: str) -> None:
    root = NotteClient(app.client, prefix="")
    root.start_v4()
    response = root.get(path)
    assert response.status_code in (401, 404)
    assert "detail" not in response.json
