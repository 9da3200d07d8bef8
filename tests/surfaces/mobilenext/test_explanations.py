"""Explanations of sessions and allocations, and devices that the vendor loses."""

from typing import Any

import pytest

from sessionary.surfaces import SURFACES
from sessionary.surfaces.mobilenext.explanations import explain
from sessionary.surfaces.mobilenext.queries.control import SessionWithAllocations as Joined
from sessionary.web.instants import to_text
from sessionary.web.surface import NotForced
from tests.conftest import MICROSECOND, App, MakeApp
from tests.surfaces.force_helpers import explain_now, force
from tests.surfaces.mobilenext.api_client import (
    IOS,
    MINUTE,
    SECOND,
    Calls,
    contents,
    device,
    error_of,
    filters_by_name,
)
from tests.surfaces.mobilenext.test_rules import EMPTY, LEASED, START, allocation, session

surface = next(each for each in SURFACES if each.name == "mobilenext")


EXPIRES_AT = START + 15 * MINUTE
LEASE_END = START + 30 * MINUTE
RELEASED_AT = START + 5 * MINUTE
READY_AT = START + 20 * SECOND
ON_DEMAND = device("on-demand", provision_seconds=20) + device("ready", platform="android")
WITHOUT_DEVICE = Joined(EMPTY, [])
HELD = Joined(session(), [allocation()])
UNDER_LEASE = Joined(LEASED, [allocation(expires_at=LEASE_END)])
BY_CALL = Joined(session(released_at=RELEASED_AT), [allocation(released_at=RELEASED_AT)])
LEASE_STORED = Joined(
    LEASED._replace(released_at=LEASE_END),
    [allocation(expires_at=LEASE_END, released_at=LEASE_END)],
)


@pytest.fixture
def leased(make_app: MakeApp) -> App:
    """Leases of 30 minutes; one device is on demand, one is ready."""
    app = make_app(mobilenext_lease_minutes=30)
    app.seed(ON_DEMAND)
    return app


@pytest.mark.parametrize(
    ("session_", "now", "status", "since_at", "rule", "reason"),
    [
        (WITHOUT_DEVICE, START, "empty", START, "empty_session", "it has no device yet"),
        (
            WITHOUT_DEVICE,
            EXPIRES_AT,
            "expired",
            EXPIRES_AT,
            "empty_session",
            "everything on it is 404",
        ),
        (HELD, LEASE_END, "active", START, "no_deadline", "it holds Serial-1"),
        (UNDER_LEASE, START, "active", START, "lease", "it holds Serial-1"),
        (UNDER_LEASE, LEASE_END, "released", LEASE_END, "lease", to_text(LEASE_END)),
        (LEASE_STORED, LEASE_END, "released", LEASE_END, "lease", to_text(LEASE_END)),
        (BY_CALL, LEASE_END, "released", RELEASED_AT, "release", to_text(RELEASED_AT)),
    ],
)
def test_each_status_is_explained_by_its_rule(
    session_: Joined, now: int, status: str, since_at: int, rule: str, reason: str
) -> None:
    explanation = explain(session_, now)
    assert explanation[:3] == (status, since_at, rule)
    assert reason in explanation.reason


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
    explanation, settled = explain(UNDER_LEASE, LEASE_END), explain(LEASE_STORED, LEASE_END)
    assert explanation._replace(inputs={}) == settled._replace(inputs={})


@pytest.mark.parametrize(
    ("session_", "now", "unless"),
    [
        (
            WITHOUT_DEVICE,
            START,
            f"POST /api/v1/sessions/s/devices before {to_text(EXPIRES_AT)} keeps it",
        ),
        (WITHOUT_DEVICE, EXPIRES_AT, f"devices before {to_text(EXPIRES_AT)} would have kept it"),
        (HELD, START, "until a call releases the last of them"),
        (UNDER_LEASE, START, f"or its lease ends at {to_text(LEASE_END)}, which no call moves"),
        (UNDER_LEASE, LEASE_END, "no call: a lease lasts as long as mobilenext_lease_minutes said"),
        (BY_CALL, LEASE_END, "would be active for good"),
        (
            BY_CALL._replace(row=BY_CALL.row._replace(expires_at=LEASE_END)),
            LEASE_END,
            f"would be active until {to_text(LEASE_END)}",
        ),
    ],
)
def test_unless_names_a_call_and_its_last_instant(session_: Joined, now: int, unless: str) -> None:
    assert unless in (explain(session_, now).unless or "")


def test_a_session_is_open_while_it_is_empty_or_holds_a_device() -> None:
    is_open = surface.sessions.is_open
    assert [is_open(each, START) for each in (WITHOUT_DEVICE, HELD, UNDER_LEASE, BY_CALL)] == [
        True
    ] * 3 + [False]
    assert [is_open(WITHOUT_DEVICE, EXPIRES_AT), is_open(UNDER_LEASE, LEASE_END)] == [False, False]


def test_the_call_in_the_explanation_keeps_an_empty_session(calls: Calls, app: App) -> None:
    kept, left = calls.start(), calls.start()
    app.advance(minutes=15)
    app.advance(-MICROSECOND)
    assert calls.allocate(kept).status_code == 201
    app.advance(MICROSECOND)
    assert [explain_now(app, surface, id).status for id in (kept, left)] == ["active", "expired"]
    assert calls.get(f"/sessions/{left}/devices").status_code == 404


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


def test_after_a_loss_release_and_allocate_fail_and_its_device_is_free(calls: Calls) -> None:
    held = calls.hold(*filters_by_name("Pixel 9"))
    force(calls.app, surface, held["id"], "released")
    assert error_of(calls.release(held["id"], held["device"]["id"]))[0] == 404
    assert error_of(calls.allocate(held["id"])) == (409, "session_released")
    again = calls.hold(*filters_by_name("Pixel 9"))
    assert again["device"]["id"] == held["device"]["id"]
    assert calls.walk(1) == [again["id"], held["id"]]
    assert again["createdAt"] > held["createdAt"]


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


def test_a_session_without_an_open_allocation_cannot_lose_devices(leased: App) -> None:
    calls = Calls(leased)
    lease_over, expired_id = calls.hold()["id"], calls.start()
    leased.advance(minutes=30)
    returned, empty = calls.hold(), calls.start()
    calls.release(returned["id"], returned["device"]["id"])
    before = contents(leased)
    states = {
        lease_over: "released",
        expired_id: "expired",
        returned["id"]: "released",
        empty: "empty",
    }
    for id, state in states.items():
        with pytest.raises(NotForced, match=f"Session {id} is {state}: it holds no device to lose"):
            force(leased, surface, id, "released")
    assert contents(leased) == before
