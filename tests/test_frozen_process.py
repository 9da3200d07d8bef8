"""A server in a process with a frozen time follows that time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
import time_machine
from freezegun import freeze_time

from sessionary import clock
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


@pytest.mark.parametrize(
    "freeze",
    [
        lambda: freeze_time(NOON, tz_offset=-4),
        lambda: freeze_time(NOON, tz_offset=timedelta(hours=5, minutes=45)),
        lambda: time_machine.travel(NOON.astimezone(ZoneInfo("Asia/Kathmandu")), tick=False),
    ],
    ids=["freezegun west", "freezegun east", "time-machine"],
)
def test_a_local_time_zone_does_not_move_the_clock(
    app: App, serve: Serve, freeze: Callable[[], AbstractContextManager[Any]]
) -> None:
    app.use_real_clock()
    with freeze():
        started = requests.post(f"{serve(app)}/session/start", json={}, headers=WHO, timeout=10)
        assert started.json()["created_at"] == "2026-03-01T12:00:00.000000Z"
        with ThreadPoolExecutor() as threads:  # near a thread's start time.time() is the real one
            assert threads.submit(clock.wall).result() == clock.wall()
