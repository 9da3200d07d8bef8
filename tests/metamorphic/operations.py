"""The operations: vendor calls, forced statuses, faults, seeds, and moves of the clock."""

import uuid
from collections.abc import Callable
from random import Random
from typing import Any

from sessionary.identity import DEFAULT_ORGANIZATION
from sessionary.web.instants import to_text
from tests.metamorphic.namespaces import (
    HOUR,
    MINUTE,
    SECOND,
    SURFACES,
    Answer,
    CheckedNamespace,
)

Operation = Callable[[CheckedNamespace, Random], None]
STEPS = (0, 1, SECOND, MINUTE, 3 * MINUTE, 5 * MINUTE, 7 * MINUTE, 15 * MINUTE, HOUR)
ANDROID = {"attribute": "platform", "operator": "EQUALS", "value": "ANDROID"}
IOS = {"attribute": "platform", "operator": "EQUALS", "value": "IOS"}
SEEDED = {
    name: [f"0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0{number}0{each}" for each in "abc"]
    for number, name in enumerate(SURFACES)
}
SEEDED["galtea"] = [f"session_seeded{each * 18}" for each in "abc"]
USER = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
HOME = DEFAULT_ORGANIZATION
PEOPLE: dict[str, Any] = {
    "organizations": [{"id": HOME, "name": "Home"}],
    "users": [{"id": USER, "name": "Ana", "memberships": []}],
}
KINDS = ("status", "latency", "reset", "empty", "truncated")


def _choose(namespace: CheckedNamespace, rng: Random, surface: str) -> str:
    """The id of a session of this surface, more often a young one; of none if there is none."""
    ids = [each["id"] for each in namespace.sessions() if each["surface"] == surface]
    return rng.choice([*ids, *ids[-3:]]) if ids else SEEDED[surface][0]


def start_notte(namespace: CheckedNamespace, rng: Random) -> None:
    if rng.random() < 0.4:
        body = {"idle_timeout_minutes": rng.choice([1, 3]), "max_duration_minutes": 5}
        namespace.write("POST", "/notte/sessions/start", body)
    else:
        body = {"session_timeout_minutes": rng.choice([1, 5, 29]), "keep_alive": rng.random() < 0.3}
        namespace.write("POST", "/notte/session/start", body)


def operate_notte(namespace: CheckedNamespace, rng: Random) -> None:
    body = {"session_id": _choose(namespace, rng, "notte"), "keep_alive": rng.random() < 0.7}
    if rng.random() < 0.2:
        body = {"url": "https://a.example"}
    namespace.write("POST", "/notte/env/observe", body)


def end_notte(namespace: CheckedNamespace, rng: Random) -> None:
    id = _choose(namespace, rng, "notte")
    if rng.random() < 0.5:
        namespace.write("POST", "/notte/session/close", {"session_id": id})
    else:
        reason = rng.choice(["manual", "error"])
        namespace.write("DELETE", f"/notte/sessions/{id}/stop?close_reason={reason}")


def create_galtea(namespace: CheckedNamespace, rng: Random) -> None:
    custom = rng.choice([None, None, "one", "two"])
    body = {"versionId": rng.choice(["v1", "v2"]), "customId": custom}
    namespace.write("POST", "/galtea/sessions", {**body, "status": rng.choice(_GALTEA)})


_GALTEA = ("PENDING", "PENDING", "PENDING", "COMPLETED", "FAILED")


def patch_galtea(namespace: CheckedNamespace, rng: Random) -> None:
    body = rng.choice(
        [
            {"status": rng.choice(_GALTEA)},
            {"metadata": {"n": rng.randrange(9)}},
            {"customId": "one"},
            {"error": "it broke"},
            {},
        ]
    )
    namespace.write("PATCH", f"/galtea/sessions/{_choose(namespace, rng, 'galtea')}", body)


def end_galtea(namespace: CheckedNamespace, rng: Random) -> None:
    path = f"/galtea/sessions/{_choose(namespace, rng, 'galtea')}"
    if rng.random() < 0.6:
        body = rng.choice([{"stoppingReason": "done"}, {"error": "it broke"}])
        namespace.write("PATCH", f"{path}/finish", body)
    else:
        namespace.write("DELETE", path)


def create_scale(namespace: CheckedNamespace, rng: Random) -> None:
    body = {"account_id": rng.choice(["acme", "zeta"]), "title": "t", "state": {"n": 1}}
    namespace.write("POST", "/scale/v4/sessions", body)


def patch_scale(namespace: CheckedNamespace, rng: Random) -> None:
    archived_at = to_text(namespace.now() - rng.choice(STEPS))
    body = rng.choice(
        [{"title": "u"}, {"restore": True}, {"archived_at": archived_at}, {"archived_at": None}]
    )
    namespace.write("PATCH", f"/scale/v4/sessions/{_choose(namespace, rng, 'scale')}", body)


def archive_scale(namespace: CheckedNamespace, rng: Random) -> None:
    namespace.write("DELETE", f"/scale/v4/sessions/{_choose(namespace, rng, 'scale')}")


def create_mobilenext(namespace: CheckedNamespace, rng: Random) -> None:
    answer = namespace.write("POST", "/mobilenext/api/v1/sessions")
    if answer.status == 201 and rng.random() < 0.7:
        _allocate(namespace, rng, answer.json["id"])


def allocate_mobilenext(namespace: CheckedNamespace, rng: Random) -> None:
    _allocate(namespace, rng, _choose(namespace, rng, "mobilenext"))


def _allocate(namespace: CheckedNamespace, rng: Random, id: str) -> None:
    body = {"filters": [rng.choice([ANDROID, IOS])]}
    namespace.write("POST", f"/mobilenext/api/v1/sessions/{id}/devices", body)


def release_mobilenext(namespace: CheckedNamespace, rng: Random) -> None:
    path = f"/mobilenext/api/v1/sessions/{_choose(namespace, rng, 'mobilenext')}/devices"
    held = namespace.call("GET", path)
    parts = [each["id"] for each in held.json["data"]] if held.status == 200 else []
    namespace.write("POST", f"{path}/{rng.choice(parts) if parts else 'none'}/release")


def start_twins(namespace: CheckedNamespace, rng: Random) -> None:
    """Start equal sessions at one instant: their transitions are ties."""
    start = rng.choice([start_notte, create_galtea, create_mobilenext])
    number = rng.random()
    for _ in range(2):
        start(namespace, Random(number))


def force(namespace: CheckedNamespace, rng: Random) -> None:
    surface, status = rng.choice(
        [("notte", "error"), ("galtea", "FAILED"), ("mobilenext", "released")]
    )
    path = f"/_control/v1/sessions/{surface}/{_choose(namespace, rng, surface)}/force"
    namespace.write("POST", path, {"status": status})


def arm_fault(namespace: CheckedNamespace, rng: Random) -> None:
    """Arm a fault for a write: reads must stay what they are compared with."""
    kind = rng.choice(KINDS)
    body: dict[str, Any] = {"surface": rng.choice(SURFACES), "kind": kind, "times": 1}
    body |= {"method": rng.choice(["POST", "PATCH", "DELETE"])}
    body |= {"phase": rng.choice(["before", "after"]), "after": rng.choice([0, 0, 1])}
    if kind in ("status", "latency"):
        body |= {"status": 503} if kind == "status" else {"delay": "1ms"}
    namespace.plane("POST", "faults", body)


def seed(namespace: CheckedNamespace, rng: Random) -> None:
    """Apply a seed of one session: a new one, or one that an earlier seed has made."""
    surface = rng.choice(SURFACES)
    row = SEED_ROWS[surface](rng)
    row["id"] = rng.choice(SEEDED[surface])
    body = {**PEOPLE, surface: {"sessions": [row]}}
    if surface == "mobilenext" and "device" in row:
        devices = namespace.call("GET", f"/mobilenext/api/v1/sessions/{row['id']}/devices")
        held = devices.json["data"] if devices.status == 200 else []
        if any(each["id"] != str(uuid.uuid5(uuid.UUID(row["id"]), "0")) for each in held):
            namespace.inexact.add(row["id"])  # it keeps its past, with the devices of calls
    path = f"/_control/v1/namespaces/{namespace.name}/seed"
    got = namespace.client.post(path, json=body)
    assert got.status_code in (200, 400), got.text
    namespace.answers.append((f"{body}", Answer(got.status_code, got.data)))
    namespace.leave_out([row["id"]])


def _agos(rng: Random, *names: str) -> dict[str, str]:
    """Facts that follow each other, some at one instant."""
    microseconds = sorted((rng.choice(STEPS) for _ in names), reverse=True)
    return {name: f"{each}us" for name, each in zip(names, microseconds, strict=True)}


def _seed_notte(rng: Random) -> dict[str, Any]:
    names = rng.choice(
        [("created_ago",), ("created_ago", "last_accessed_ago"), ("created_ago", "closed_ago")]
    )
    maximum = rng.choice([{}, {"max_duration_minutes": 120}])
    facts = {"organization": HOME, "timeout_minutes": rng.choice([5, 29]), **maximum}
    return {**facts, **_agos(rng, *names)}


def _seed_galtea(rng: Random) -> dict[str, Any]:
    names = rng.choice(
        [("created_ago",), ("created_ago", "last_active_ago"), ("created_ago", "deleted_ago")]
    )
    closes = rng.choice([{}, {"auto_close_minutes": 5}])
    facts = {"organization": HOME, "version": "v1", "status": rng.choice(_GALTEA), **closes}
    return {**facts, **_agos(rng, *names)}


def _seed_scale(rng: Random) -> dict[str, Any]:
    names = rng.choice([("created_ago",), ("created_ago", "archived_ago")])
    return {"account_id": HOME, "title": "s", **_agos(rng, *names)}


def _seed_mobilenext(rng: Random) -> dict[str, Any]:
    facts: dict[str, Any] = {"organization": HOME, "user": USER}
    names: tuple[str, ...] = ("created_ago",)
    if rng.random() < 0.7:
        facts["device"] = rng.choice(DEVICES)
        names = rng.choice([names, ("created_ago", "released_ago")])
        facts |= rng.choice([{}, {"lease_minutes": 20}])
    return {**facts, **_agos(rng, *names)}


SEED_ROWS: dict[str, Callable[[Random], dict[str, Any]]] = {
    "galtea": _seed_galtea,
    "mobilenext": _seed_mobilenext,
    "notte": _seed_notte,
    "scale": _seed_scale,
}
# Of the catalogue of `described`; one is on demand.
DEVICES = ("phone-1", "phone-2", "phone-3", "tablet-1")


def advance(namespace: CheckedNamespace, rng: Random) -> None:
    by = rng.choice(STEPS) + rng.choice([-1, 0, 0, 1])
    namespace.move("POST", "clock/advance", {"by": f"{by}us"})


def advance_to_next(namespace: CheckedNamespace, rng: Random) -> None:
    coming = namespace.plane("GET", "timeline?limit=1")["transitions"]
    if coming:
        namespace.move("POST", "clock/advance", {"to": "next"})
        assert namespace.plane("GET", "clock")["mode"] != "frozen" or (
            namespace.plane("GET", "clock")["now"] == coming[0]["at"]
        )
        if rng.random() < 0.5:
            namespace.move("POST", "clock/advance", {"by": "-1us"})


def move_back(namespace: CheckedNamespace, rng: Random) -> None:
    known = [namespace.now() - at for at in namespace.recorded if at > 0]
    by = rng.choice([*STEPS, *known]) + rng.choice([0, 0, 1])
    namespace.move("POST", "clock/advance", {"by": f"-{max(by, 0)}us"})


def freeze(namespace: CheckedNamespace, _: Random) -> None:
    namespace.move("PUT", "clock", {"mode": "frozen"})


def run(namespace: CheckedNamespace, rng: Random) -> None:
    mode = rng.choice(["offset", "scaled", "real"])
    rate = {"rate": rng.choice([0.5, 40, 3600])} if mode == "scaled" else {}
    namespace.move("PUT", "clock", {"mode": mode, **rate})


def wait(namespace: CheckedNamespace, rng: Random) -> None:
    """Let time pass: a clock that runs shows it."""
    seconds = rng.choice([0.000001, 1, 30, 300])
    namespace.let(lambda: namespace.wall.shift(seconds))


CALLS: dict[str, Operation] = {
    "start notte": start_notte,
    "operate notte": operate_notte,
    "end notte": end_notte,
    "create galtea": create_galtea,
    "patch galtea": patch_galtea,
    "end galtea": end_galtea,
    "create scale": create_scale,
    "patch scale": patch_scale,
    "archive scale": archive_scale,
    "create mobilenext": create_mobilenext,
    "allocate mobilenext": allocate_mobilenext,
    "release mobilenext": release_mobilenext,
    "start twins": start_twins,
    "force": force,
    "arm fault": arm_fault,
    "seed": seed,
}
MOVES: dict[str, Operation] = {
    "advance": advance,
    "advance to next": advance_to_next,
    "move back": move_back,
    "freeze": freeze,
    "run": run,
    "wait": wait,
}
