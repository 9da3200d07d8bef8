"""The paths at which the surface answers, and the members of an organization."""

import pytest

from sessionary import __version__
from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json


def test_the_members_of_an_organization_share_its_sessions(strict: App) -> None:
    session_id = NotteClient(strict).start()["session_id"]
    bot = NotteClient(strict, key="sk-notte-bot")
    assert bot.start(session_id=session_id)["session_id"] == session_id


@pytest.mark.parametrize("prefix", ["/notte", ""])
def test_health_is_open_and_counts_active_sessions(notte: NotteClient, prefix: str) -> None:
    closed = notte.start()["session_id"]
    notte.start()
    notte.start_v4()
    ok_json(notte.post("/session/close", {"session_id": closed}))
    for minutes, count in ((3, 2), (1, 1), (2, 0)):
        notte.app.advance(minutes=minutes)
        health = ok_json(notte.app.client.get(f"{prefix}/health"))
        assert health == {"status": "healthy", "version": __version__, "active_sessions": count}


def test_every_v1_route_answers_at_the_root(app: App) -> None:
    root = NotteClient(app, prefix="")
    session_id = root.start()["session_id"]
    body = {"session_id": session_id, "keep_alive": True, "action_id": "B1"}
    for path in ("/env/observe", "/env/step", "/env/scrape"):
        assert ok_json(root.post(path, body))["session"]["session_id"] == session_id
    assert ok_json(root.post("/session/close", body))["status"] == "closed"


def test_every_v4_route_answers_at_the_root_with_the_sdk_header(app: App) -> None:
    root = NotteClient(app, prefix="")
    root.headers["x-notte-sdk-version"] = "1.10.0"
    session_id = root.start_v4()["session_id"]
    assert root.status(session_id)["status"] == "active"
    assert root.list_ids() == [session_id]
    assert [item["session_id"] for item in ok_json(root.get("/sessions"))["items"]] == [session_id]
    for operation in ("observe", "execute", "scrape"):
        ok_json(root.post(f"/sessions/{session_id}/page/{operation}", {"type": "goto"}))
    assert ok_json(root.delete(f"/sessions/{session_id}/stop"))["status"] == "closed"


def test_a_stop_at_the_root_needs_no_sdk_header(app: App) -> None:
    root = NotteClient(app, prefix="")
    session_id = root.start_v4()["session_id"]
    assert ok_json(root.delete(f"/sessions/{session_id}/stop/"))["status"] == "closed"
    assert NotteClient(app).status(session_id)["status"] == "closed"


@pytest.mark.parametrize("path", ["/sessions", "/sessions/", "/sessions/x"])
def test_other_reads_of_sessions_at_the_root_are_galteas(app: App, path: str) -> None:
    root = NotteClient(app, prefix="")
    root.start_v4()
    response = root.get(path)
    assert response.status_code in (401, 404)
    assert "detail" not in response.json


@pytest.mark.parametrize("path", ["/session/start", "/sessions/start"])
def test_a_path_with_two_slashes_is_another_path(notte: NotteClient, path: str) -> None:
    for wrong in (path.replace("/start", "//start"), f"{path}//"):
        error_detail(notte.post(wrong), 404)
    assert ok_json(notte.post(f"{path}/"))["status"] == "active"


def test_every_error_names_the_session_that_it_concerns(notte: NotteClient) -> None:
    asked = [
        notte.post("/session/start", {"session_id": "x"}),
        notte.post("/session/close", {"session_id": "x"}),
        notte.post("/env/step", {"session_id": "x", "action_id": "B1"}),
        notte.get("/sessions/x"),
        notte.delete("/sessions/x/stop"),
        notte.post("/sessions/x/page/observe"),
    ]
    for response in asked:
        assert response.json == {"detail": "Session x not found", "session_id": "x"}
