"""A server in a process with a frozen time follows that time."""

from datetime import timedelta

import requests
from freezegun import freeze_time

from tests.conftest import NOON, App, Serve

WHO = {"Authorization": "Bearer anyone"}


def test_a_server_in_a_frozen_process_uses_the_frozen_time(app: App, serve: Serve) -> None:
    app.use_real_clock()
    with freeze_time(NOON) as frozen:
        url = serve(app)
        started = requests.post(f"{url}/session/start", json={}, headers=WHO, timeout=10).json()
        assert started["created_at"] == "2026-03-01T12:00:00.000000Z"

        def status() -> str:
            path = f"{url}/notte/sessions/{started['session_id']}"
            return str(requests.get(path, headers=WHO, timeout=10).json()["status"])

        frozen.tick(timedelta(minutes=5))
        assert status() == "active"
        frozen.tick(timedelta(microseconds=1))
        assert status() == "timed_out"


def test_a_server_started_in_a_frozen_process_can_stop(app: App, serve: Serve) -> None:
    app.use_real_clock()
    with freeze_time(NOON):
        url = serve(app)
        assert requests.get(f"{url}/health", timeout=10).status_code == 200


def test_a_frozen_namespace_does_not_follow_the_process(app: App) -> None:
    with freeze_time(NOON + timedelta(days=1)):
        started = app.client.post("/session/start", json={}, headers=WHO)
    assert started.json["created_at"] == "2026-03-01T12:00:00.000000Z"
