"""Explanations of allocations, and devices that the vendor loses."""

from typing import Any

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.mobilenext.explanations import explain
from sessionary.surfaces.mobilenext.queries.control import SessionWithAllocations as Joined
from tests.conftest import App, MakeApp
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.mobilenext.api_client import (
    IOS,
    MINUTE,
    SECOND,
    Calls,
    device,
    error_of,
    filters_by_name,
)
from tests.surfaces.mobilenext.test_rules import LEASED, START, allocation, session

surface = next(each for each in SURFACES if each.name == "mobilenext")
LEASE_END = START + 30 * MINUTE
RELEASED_AT = START + 5 * MINUTE
READY_AT = START + 20 * SECOND
ON_DEMAND = device("on-demand", provision_seconds=20) + device("ready", platform="android")


@pytest.fixture
def leased(make_app: MakeApp) -> App:
    """Leases of 30 minutes; one device is on demand, one is ready."""
    app = make_app(mobilenext_lease_minutes=30)
    app.seed(ON_DEMAND)
    return app


@pytest.mark.parametrize(
    ("inputs", "now", "status", "since_at", "rule"),
    [
        ({}, LEASE_END, "in_use", START, "ready"),
        ({"in_use_at": READY_AT}, READY_AT - 1, "provisioning", START, "provisioning"),
        ({"in_use_at": READY_AT}, READY_AT, "in_use", READY_AT, "provisioning"),
        ({"in_use_at": READY_AT}, READY_AT + 1, "in_use", READY_AT, "provisioning"),
        ({"released_at": RELEASED_AT}, LEASE_END, "released", RELEASED_AT, "release"),
        ({"expires_at": LEASE_END}, LEASE_END - 1, "in_use", START, "ready"),
        ({"expires_at": LEASE_END}, LEASE_END, "released", LEASE_END, "lease"),
        ({"expires_at": LEASE_END}, LEASE_END + 1, "released", LEASE_END, "lease"),
        (
            {"expires_at": LEASE_END, "released_at": LEASE_END},
            LEASE_END,
            "released",
            LEASE_END,
            "lease",
        ),
        (
            {"expires_at": LEASE_END, "in_use_at": LEASE_END + 1},
            LEASE_END + 1,
            "released",
            LEASE_END,
            "lease",
        ),
    ],
)
def test_each_allocation_is_explained_with_its_session(
    inputs: dict[str, Any], now: int, status: str, since_at: int, rule: str
) -> None:
    each = allocation(**inputs)
    (explanation,) = explain(Joined(session(expires_at=each.expires_at), [each]), now).inputs[
        "allocations"
    ]
    assert (explanation["status"], explanation["since_at"], explanation["rule"]) == (
        status,
        since_at,
        rule,
    )
    assert (explanation["id"], explanation["serial"]) == (each.id, each.serial)
    assert explanation["reason"]


def test_transitions_of_an_allocation_carry_its_id() -> None:
    session_ = Joined(session(), [allocation(in_use_at=READY_AT)])
    (transition,) = surface.sessions.transitions(session_)
    assert (transition.at, transition.part, transition.to_status) == (
        READY_AT,
        session_.allocations[0].id,
        "in_use",
    )


def test_a_stored_lease_end_has_the_same_explanation_as_a_derived_one() -> None:
    lease = allocation(expires_at=LEASE_END)
    stored = LEASED._replace(released_at=LEASE_END), [lease._replace(released_at=LEASE_END)]
    derived, settled = (
        explain(Joined(LEASED, [lease]), LEASE_END),
        explain(Joined(*stored), LEASE_END),
    )
    assert derived._replace(inputs={}) == settled._replace(inputs={})


def test_lost_devices_are_released_in_every_response(leased: App) -> None:
    calls = Calls(leased)
    first = calls.hold()
    assert calls.allocate(first["id"], IOS).status_code == 202
    leased.advance(seconds=10)
    force(leased, surface, first["id"], "released")
    leased.advance(hours=1)
    shown, lost_at = calls.session(first["id"]), "2026-03-01T12:00:10.000000Z"
    assert shown["releasedAt"] == lost_at
    assert [(each["status"], each["releasedAt"]) for each in shown["devices"]] == [
        ("released", lost_at),
        ("released", lost_at),
    ]
    assert shown["device"] == first["device"]
    assert calls.page()["data"] == [shown]
    assert calls.get(f"/sessions/{first['id']}/devices").json["data"] == shown["devices"]
    assert explain_now(leased, surface, first["id"]).rule == "release"


def test_after_a_loss_release_fails_its_device_is_free_and_the_session_takes_another(
    calls: Calls,
) -> None:
    held = calls.hold(*filters_by_name("Pixel 9"))
    force(calls.app, surface, held["id"], "released")
    assert error_of(calls.release(held["id"], held["device"]["id"]))[0] == 404
    again = calls.hold(*filters_by_name("Pixel 9"))
    assert again["device"]["id"] == held["device"]["id"]
    assert calls.walk(1) == [again["id"], held["id"]]
    assert again["createdAt"] > held["createdAt"]
    assert calls.allocate(held["id"]).status_code == 201
    assert calls.session(held["id"])["releasedAt"] is None


def test_a_device_released_before_a_loss_keeps_its_instant(leased: App) -> None:
    calls = Calls(leased)
    held = calls.hold()
    calls.allocate(held["id"], IOS)
    calls.release(held["id"], held["device"]["id"])
    leased.advance(seconds=10)
    force(leased, surface, held["id"], "released")
    ends = [each["releasedAt"][17:19] for each in calls.session(held["id"])["devices"]]
    assert ends == ["00", "10"]


def test_a_device_is_not_lost_before_its_allocation(calls: Calls, app: App) -> None:
    held = calls.hold()
    app.advance(minutes=-5)
    force(app, surface, held["id"], "released")
    assert calls.session(held["id"])["releasedAt"] == held["createdAt"]
