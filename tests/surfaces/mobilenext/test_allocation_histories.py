"""Invariants under any sequence of calls and clock moves, backwards included."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sessionary import clock, create_app, make_settings
from sessionary.surfaces.mobilenext import devices, rules
from sessionary.surfaces.mobilenext.queries import allocations
from sessionary.web import json_codec
from tests.conftest import App
from tests.surfaces.mobilenext.api_client import IOS, Calls, device

DEVICES = device("A-0") + device("A-1", provision_seconds=40)
places = st.integers(0, 10**6)


class Histories(RuleBasedStateMachine):
    """Two devices, a lease of ten minutes, and a clock that moves forward and back."""

    @initialize()
    def begin(self) -> None:
        given = {"db": ":memory:", "auth": "lenient", "durability": "off"}
        flask_app = create_app(make_settings(**given, mobilenext_lease_minutes=10))
        self.app = App(flask_app)
        self.app.seed(DEVICES)
        self.calls = Calls(self.app)
        self.sessions: list[str] = []
        self.ended: dict[str, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "app"):
            listed = self.calls.page(limit=500)["data"]
            assert [self.calls.session(each["id"]) for each in listed] == listed
            assert self.calls.walk(2) == [each["id"] for each in listed]
            self.app.namespace.close()

    @rule()
    def start(self) -> None:
        self.sessions.append(self.calls.start())

    @rule()
    def hold(self) -> None:
        self.start()
        self.allocate(-1)

    @rule(place=places)
    def allocate(self, place: int) -> None:
        if self.sessions:
            session = self.sessions[place % len(self.sessions)]
            response = self.calls.allocate(session, IOS)
            assert response.status_code in (201, 202, 404, 409), response.text
            if response.status_code < 300:
                self.ended.pop(session, None)

    @rule(place=places, number=st.integers(0, 1))
    def release(self, place: int, number: int) -> None:
        if self.sessions:
            session = self.sessions[place % len(self.sessions)]
            response = self.calls.release(session, f"A-{number}")
            assert response.status_code in (202, 404), response.text
            if response.status_code == 202:
                ended = self.calls.session(session)["releasedAt"]
                if ended is not None:
                    self.ended[session] = ended

    @rule(
        by=st.sampled_from([1, -1, 40_000_000, 600_000_000, -600_000_000]).map(
            lambda microseconds: timedelta(microseconds=microseconds)
        )
    )
    def move(self, by: timedelta) -> None:
        self.app.advance(by)

    @invariant()
    def no_device_is_held_twice(self) -> None:
        if not hasattr(self, "calls"):
            return
        with self.app.namespace.activate():
            now = clock.now()
            every = allocations.of_sessions.all(sessions=json_codec.encode(self.sessions))
            held = Counter(each.serial for each in every if rules.is_open(each, now))
            listed = {each.serial for each in devices.list_devices() if each.is_allocated}
        assert set(held.values()) <= {1}
        assert set(held) == listed

    @invariant()
    def the_list_is_strictly_ordered_and_consistent(self) -> None:
        if not hasattr(self, "calls"):
            return
        data = self.calls.page(limit=500)["data"]
        created = [each["createdAt"] for each in data]
        assert created == sorted(set(created), reverse=True)
        for each in data:
            self.is_consistent(each)

    def is_consistent(self, session: dict[str, Any]) -> None:
        devices = session["devices"]
        assert devices[0]["createdAt"] == session["createdAt"]
        ends = [each.get("releasedAt") for each in devices]
        assert (session["releasedAt"] is None) == (None in ends)
        if session["releasedAt"] is not None:
            assert session["releasedAt"] == max(ends)
        for each, end in zip(devices, ends, strict=True):
            assert (each["status"] == "released") == (end is not None)
            assert session["createdAt"] <= each["createdAt"] <= (end or "9")
        assert session["releasedAt"] == self.ended.get(session["id"], session["releasedAt"])


class TestHistories(Histories.TestCase):  # type: ignore[valid-type]
    settings = settings(max_examples=20, stateful_step_count=15, deadline=None)


@pytest.mark.long
class TestManyHistories(Histories.TestCase):  # type: ignore[valid-type]
    settings = settings(max_examples=1000, stateful_step_count=40, deadline=None)
