"""Concurrent calls on a real file: each outcome is possible in some order of the calls."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.conftest import App, MakeApp
from tests.surfaces import concurrency
from tests.surfaces.concurrency import THREADS
from tests.surfaces.notte.conftest import NotteClient, ok_json

MINUTE = timedelta(minutes=1)


@pytest.fixture
def app(make_file_app: MakeApp) -> App:
    return make_file_app()


def run_concurrently(app: App, work: Callable[[NotteClient, int], Any]) -> list[Any]:
    """Run a function in threads that start together, each with its own client."""
    clients = [NotteClient(app) for _ in range(THREADS)]
    return concurrency.run_concurrently(lambda number: work(clients[number], number))


def test_concurrent_closes_all_show_the_same_end(app: App, notte: NotteClient) -> None:
    app.use_real_clock()
    for _ in range(10):
        body = {"session_id": notte.start()["session_id"]}
        ends = run_concurrently(
            app,
            lambda calls, _, body=body: ok_json(calls.post("/session/close", body))["closed_at"],
        )
        assert len(set(ends)) == 1


def test_concurrent_activity_never_moves_the_last_access_back(app: App, notte: NotteClient) -> None:
    app.use_real_clock()
    session_id = notte.start()["session_id"]
    body = {"session_id": session_id, "keep_alive": True}

    def work(calls: NotteClient, _: int) -> list[str]:
        return [
            ok_json(calls.post("/env/observe", body))["session"]["last_accessed_at"]
            for _ in range(20)
        ]

    seen = run_concurrently(app, work)
    assert all(each == sorted(each) for each in seen)
    assert notte.status(session_id)["last_accessed_at"] == max(max(each) for each in seen)


@pytest.mark.parametrize("closing", ["stop", "close"])
def test_a_session_that_was_shown_as_ended_is_never_active_again(
    app: App, notte: NotteClient, closing: str
) -> None:
    for _ in range(5):
        session_id = notte.start_v4()["session_id"]

        def work(calls: NotteClient, number: int, it: str = session_id) -> list[str]:
            if number == 0 and closing == "stop":
                calls.delete(f"/sessions/{it}/stop")
            elif number == 0:
                calls.post("/session/close", {"session_id": it})
            elif number % 2:
                for _ in range(5):
                    calls.post(f"/sessions/{it}/page/observe")
            return [calls.status(it)["status"] for _ in range(5)]

        for seen in run_concurrently(app, work):
            assert "active" not in seen[seen.index("closed") :] if "closed" in seen else True
        assert notte.status(session_id)["status"] == "closed"


def test_a_race_never_revives_a_session_after_its_deadline(app: App, notte: NotteClient) -> None:
    """One thread moves the clock past the deadline while the others operate in the session."""
    for _ in range(10):
        session_id = notte.start(session_timeout_minutes=1)["session_id"]
        before = notte.status(session_id)["last_accessed_at"]
        body = {"session_id": session_id, "keep_alive": True}

        def work(calls: NotteClient, number: int, body: dict[str, Any] = body) -> list[bool]:
            if number == 0:
                app.advance(minutes=1, microseconds=1)
                return []
            answers = [calls.post("/env/observe", body) for _ in range(6)]
            return [answer.status_code == 200 for answer in answers]

        for seen in run_concurrently(app, work):
            assert seen == sorted(seen, reverse=True), "an operation succeeded after the deadline"
        shown = notte.status(session_id)
        assert shown["status"] == "timed_out"
        assert shown["last_accessed_at"] == before


def test_a_session_times_out_for_all_threads_at_once(app: App, notte: NotteClient) -> None:
    """One thread moves the clock by half the timeout; the others operate until it has timed out."""
    for _ in range(25):
        session_id = notte.start(session_timeout_minutes=1)["session_id"]
        body = {"session_id": session_id, "keep_alive": True}

        def work(
            calls: NotteClient, number: int, body: dict[str, Any] = body
        ) -> list[dict[str, Any]]:
            if number == 0:
                for _ in range(20):
                    app.advance(seconds=30)
                return []
            answers = [calls.post("/env/observe", body)]
            while answers[-1].status_code == 200 and len(answers) < 20:
                answers.append(calls.post("/env/observe", body))
            seen = [answer.json["session"] for answer in answers if answer.status_code == 200]
            return [*seen, calls.status(body["session_id"])]

        seen = [shown for each in run_concurrently(app, work) for shown in each]
        app.advance(minutes=2)
        final = notte.status(session_id)
        accesses = sorted({datetime.fromisoformat(shown["last_accessed_at"]) for shown in seen})
        ends = {shown["closed_at"] for shown in seen if shown["status"] == "timed_out"}
        assert all(later - earlier <= MINUTE for earlier, later in pairwise(accesses))
        assert ends <= {final["closed_at"]}
        assert max(shown["last_accessed_at"] for shown in seen) == final["last_accessed_at"]
