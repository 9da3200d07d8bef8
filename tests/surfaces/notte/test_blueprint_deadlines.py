"""Deadlines, reads that write nothing, and keep_alive, through calls."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.conftest import NOON, App, MakeApp
from tests.surfaces.notte.conftest import NotteClient, error_detail, ok_json

MICROSECOND = timedelta(microseconds=1)


def test_a_session_is_active_at_its_deadline_and_timed_out_a_microsecond_later(
    app: App, notte: NotteClient
) -> None:
    session_id = notte.start(session_timeout_minutes=5)["session_id"]
    deadline = NOON + timedelta(minutes=5)
    seen = []
    for instant in (
        deadline - MICROSECOND,
        deadline,
        deadline + MICROSECOND,
        deadline + timedelta(1),
    ):
        app.freeze(instant)
        shown = notte.status(session_id)
        seen.append((shown["status"], shown["duration"], shown["closed_at"], shown["close_reason"]))
    over = ("timed_out", "PT5M", "2026-03-01T12:05:00.000000Z", "idle_timeout")
    assert seen == [
        ("active", "PT4M59.999999S", None, None),
        ("active", "PT5M", None, None),
        over,
        over,
    ]


OPERATIONS: dict[str, Callable[[NotteClient, str], object]] = {
    "start": lambda notte, it: notte.post("/session/start", {"session_id": it}),
    "observe": lambda notte, it: notte.post("/env/observe", {"session_id": it, "keep_alive": True}),
    "step": lambda notte, it: notte.post(
        "/env/step", {"session_id": it, "keep_alive": True, "action_id": "B1"}
    ),
    "scrape": lambda notte, it: notte.post("/env/scrape", {"session_id": it, "keep_alive": True}),
    "page/observe": lambda notte, it: notte.post(f"/sessions/{it}/page/observe"),
    "page/execute": lambda notte, it: notte.post(f"/sessions/{it}/page/execute", {"type": "wait"}),
    "page/scrape": lambda notte, it: notte.post(f"/sessions/{it}/page/scrape"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_activity_at_the_deadline_moves_it(notte: NotteClient, name: str) -> None:
    session_id = notte.start()["session_id"]
    notte.app.advance(minutes=5)
    ok_json(OPERATIONS[name](notte, session_id))
    notte.app.advance(minutes=5)
    assert notte.status(session_id)["status"] == "active"
    notte.app.advance(MICROSECOND)
    assert notte.status(session_id)["closed_at"] == "2026-03-01T12:10:00.000000Z"


@pytest.mark.parametrize("name", OPERATIONS)
def test_activity_after_the_deadline_is_refused_and_changes_nothing(
    app: App, notte: NotteClient, name: str
) -> None:
    session_id = notte.start()["session_id"]
    app.advance(minutes=5, microseconds=1)
    before = app.rows("notte_sessions")
    detail = error_detail(OPERATIONS[name](notte, session_id), 404)
    assert detail == f"Session {session_id} timed out: it was idle for more than 5 minutes"
    assert app.rows("notte_sessions") == before
    assert notte.status(session_id)["status"] == "timed_out"


def test_a_timed_out_session_is_active_if_the_clock_goes_back(app: App, notte: NotteClient) -> None:
    session_id = notte.start()["session_id"]
    app.advance(hours=1)
    assert notte.status(session_id)["status"] == "timed_out"
    app.advance(hours=-1)
    assert notte.status(session_id)["status"] == "active"


def test_keep_alive_does_not_extend_the_timeout_by_default(app: App, notte: NotteClient) -> None:
    session_id = notte.start(keep_alive=True)["session_id"]
    app.advance(minutes=5, microseconds=1)
    assert notte.status(session_id)["status"] == "timed_out"


class TestWhereKeepAliveOutlivesTheTimeout:
    """The setting `notte_keep_alive = timeout`."""

    @pytest.fixture
    def app(self, make_app: MakeApp) -> App:
        return make_app(notte_keep_alive="timeout")

    def test_a_session_started_with_it_never_is_idle(self, notte: NotteClient) -> None:
        session_id = notte.start(keep_alive=True)["session_id"]
        notte.app.advance(days=400)
        assert notte.status(session_id)["status"] == "active"
        assert notte.list_ids() == [session_id]
        assert ok_json(notte.get("/health"))["active_sessions"] == 1
        assert (
            ok_json(notte.post("/session/close", {"session_id": session_id}))["duration"] == "P400D"
        )

    def test_a_session_started_without_it_times_out(self, app: App, notte: NotteClient) -> None:
        session_id = notte.start()["session_id"]
        app.advance(minutes=5, microseconds=1)
        assert notte.status(session_id)["status"] == "timed_out"
        assert notte.list_ids() == []

    def test_the_value_given_at_the_start_is_kept(self, app: App, notte: NotteClient) -> None:
        kept, other = notte.start(keep_alive=True)["session_id"], notte.start()["session_id"]
        notte.start(session_id=kept, keep_alive=False)
        notte.start(session_id=other, keep_alive=True)
        app.advance(hours=1)
        assert notte.list_ids() == [kept]

    @pytest.mark.parametrize("keep_alive", [True, False])
    def test_an_operation_never_closes(self, notte: NotteClient, keep_alive: bool) -> None:
        body = {"url": "https://example.com", "keep_alive": keep_alive}
        seen = ok_json(notte.post("/env/observe", body))["session"]
        assert seen["status"] == "active"

    def test_an_operation_that_starts_a_session_starts_it_with_its_own_value(
        self, app: App, notte: NotteClient
    ) -> None:
        for keep_alive in (True, False):
            body = {"url": "https://example.com", "keep_alive": keep_alive}
            ok_json(notte.post("/env/scrape", body))
        app.advance(hours=1)
        assert len(notte.list_ids()) == 1

    def test_the_maximum_of_v4_still_ends_a_session(self, app: App, notte: NotteClient) -> None:
        session_id = notte.start_v4()["session_id"]
        ok_json(notte.post("/env/observe", {"session_id": session_id, "keep_alive": True}))
        app.advance(minutes=3, microseconds=1)
        assert notte.status(session_id)["status"] == "timed_out"
