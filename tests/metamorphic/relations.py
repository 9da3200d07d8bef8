"""The relations: what must hold between two readings of a namespace, whatever was done to it."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from random import Random
from typing import Any

from sessionary import clock, store
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_text
from tests.metamorphic.namespaces import (
    HOUR,
    MINUTE,
    SECOND,
    CheckedNamespace,
    Key,
    check_same,
    count_by_status,
    instant,
    without,
)
from tests.metamorphic.operations import CALLS, MOVES

Relation = Callable[[CheckedNamespace, Random], None]
_NONE = "00000000-0000-4000-8000-00000000dead"


def check_future(namespace: CheckedNamespace, rng: Random) -> None:
    """A read as of a later instant shows what a fork shows after its clock is moved there."""
    now = namespace.now()
    ends = [instant(each["at"]) - now for each in _timeline(namespace)]
    by = max(0, rng.choice([SECOND, 6 * MINUTE, HOUR, *ends]) + rng.choice([-1, 0, 1]))
    fork = namespace.fork()
    fork.move("POST", "clock/advance", {"by": f"{by}us"})
    check_same(fork.read(), namespace.read(now + by), f"{by} us later")


def check_past(namespace: CheckedNamespace, _: Random) -> None:
    """A read as of a past instant shows what was read when the clock last showed it."""
    namespace.check_recorded()


def check_fork(namespace: CheckedNamespace, rng: Random) -> None:
    """A fork is what its parent is, also in the past, and goes on as it would."""
    fork = namespace.fork()
    check_same(namespace.state(), fork.state(), "a fork")
    fork.check_recorded()
    twin = fork.fork()
    operations = _make_operations(rng)
    states: list[Any] = []
    for each in (fork, twin):
        with namespace.wall_restored():
            each.answers = []
            _do(each, operations)
            states.append((each.answers, each.state()))
    check_same(states[0], states[1], f"after {operations}: a fork and its fork")
    fork.plane("POST", f"namespaces/{fork.name}/reset", root=True)
    check_same(namespace.state(), fork.state(), "a fork that is reset")


def check_restore(namespace: CheckedNamespace, rng: Random) -> None:
    """A namespace that is restored is what it was at its snapshot, also in the past."""
    fork = namespace.fork()
    before, recorded = fork.state(), dict(fork.recorded)
    path = f"/_control/v1/namespaces/{fork.name}"
    snapshot = fork.client.get(f"{path}/snapshot").data
    operations = _make_operations(rng)
    with namespace.wall_restored():
        _do(fork, operations)
    got = fork.client.post(f"{path}/restore", data=snapshot)
    assert got.status_code == 200, got.text
    fork.recorded = recorded
    check_same(before, fork.state(), f"restored after {operations}")
    fork.check_recorded()


def check_timeline(namespace: CheckedNamespace, _: Random) -> None:
    """The timeline has every instant at which a read changes, in order, and no other."""
    now, coming = namespace.now(), _timeline(namespace)
    keys = [(each["surface"], each["id"]) for each in namespace.sessions()]
    places = {key: place for place, key in enumerate(keys)}
    order = [(instant(each["at"]), places[_key(each)]) for each in coming]
    assert order == sorted(order), coming
    for each in coming:
        at = instant(each["at"])
        shown = [_shown(namespace, each, instant) for instant in (at - 1, at)]
        assert shown == [each["from_status"], each["to_status"]], (shown, each)
    changes = {each["at"] for each in coming}
    instants = [now, *(instant(each) for each in sorted(changes)), now + 10 * 365 * 24 * HOUR]
    for first, following in pairwise(dict.fromkeys(instants)):
        before, after = namespace.statuses(first), namespace.statuses(max(first, following - 1))
        check_same(
            before, after, f"from {to_text(first)} to {to_text(following)}, without a transition"
        )


def _shown(namespace: CheckedNamespace, transition: dict[str, Any], at: int) -> Any:
    """The status of a session, or of its part, as of an instant."""
    surface, id = _key(transition)
    if transition["part"] is None:
        return _explain(namespace, (surface, id), at)["status"]
    held = namespace.call("GET", f"/mobilenext/api/v1/sessions/{id}/devices", at=at)
    assert held.status == 200, held.body
    (part,) = (each for each in held.json["data"] if each["id"] == transition["part"])
    return part["status"]


def check_explanations(namespace: CheckedNamespace, rng: Random) -> None:
    """Explanation, vendor's read, list and counts name one status; `since` is its first instant."""
    now = namespace.now()
    instants = [*rng.sample(sorted(namespace.recorded), min(3, len(namespace.recorded)))]
    for at in (*instants, now, now + 6 * MINUTE):
        sessions = namespace.sessions(at)
        for each in sessions:
            explained = _explain(namespace, _key(each), at)
            for name in ("status", "since"):
                assert explained[name] == each[name], (explained, each)
            assert (
                explained["next_transitions"][:1]
                == [each["next_transition"]][: each["next_transition"] is not None]
            ), (explained, each)
            assert READ_AS[each["surface"]](namespace, each["id"], at) == _read_of(each), each
            if each["id"] not in namespace.inexact:
                _check_since(namespace, each)
        if at >= now:
            _check_counts(namespace, sessions, at)


def _read_of(session: dict[str, Any]) -> str | None:
    """What the vendor's read shows of a status."""
    hidden = ("deleted", "empty", "expired")
    return None if session["status"] in hidden else str(session["status"])


def _check_since(namespace: CheckedNamespace, session: dict[str, Any]) -> None:
    since = instant(session["since"])
    key = _key(session)
    assert namespace.statuses(since)[key] == session["status"], session
    if namespace.statuses(since - 1).get(key) == session["status"]:  # it had another in between
        changes = _changes(namespace, since - 1, since)
        assert any(
            _key(each) == key and each["from_status"] != each["to_status"] for each in changes
        ), session


def _check_counts(namespace: CheckedNamespace, sessions: list[dict[str, Any]], at: int) -> None:
    with namespace.control.namespaces.find(namespace.name).activate():
        counts = {
            (surface.name, status): count
            for surface in SURFACES
            for status, count in surface.sessions.counts(at).items()
            if count
        }
    check_same(dict(count_by_status(sessions)), counts, f"counts as of {to_text(at)}")


def _read_notte(namespace: CheckedNamespace, id: str, at: int) -> str | None:
    answer = namespace.call("GET", f"/notte/sessions/{id}", at=at)
    return answer.json["status"] if answer.status == 200 else None


def _read_galtea(namespace: CheckedNamespace, id: str, at: int) -> str | None:
    answer = namespace.call("GET", f"/galtea/sessions/{id}", at=at)
    return answer.json["status"] if answer.status == 200 else None


def _read_scale(namespace: CheckedNamespace, id: str, at: int) -> str | None:
    answer = namespace.call("GET", f"/scale/v4/sessions/{id}", at=at)
    return (
        ("archived" if "archived_at" in answer.json else "live") if answer.status == 200 else None
    )


def _read_mobilenext(namespace: CheckedNamespace, id: str, at: int) -> str | None:
    answer = namespace.call("GET", f"/mobilenext/api/v1/sessions/{id}", at=at)
    if answer.status != 200:
        return None
    return "active" if answer.json["releasedAt"] is None else "released"


READ_AS: dict[str, Callable[[CheckedNamespace, str, int], str | None]] = {
    "galtea": _read_galtea,
    "mobilenext": _read_mobilenext,
    "notte": _read_notte,
    "scale": _read_scale,
}


def check_chains(namespace: CheckedNamespace, rng: Random) -> None:
    """The changes of a session between two instants lead from its first status to its last.

    The changes of two adjacent spans are those of both; a page has the first of them.
    """
    now = namespace.now()
    known = [0, now, now + HOUR, *namespace.recorded]
    known += [instant(each["at"]) for each in (*_timeline(namespace), *_changes(namespace, 0, now))]
    known += [at + each for at in known[1:] for each in (-1, 1)]
    for _ in range(4):
        first, between, last = sorted(rng.choices(known, k=3))
        changes = _changes(namespace, first, last)
        _check_chain(namespace, first, last, changes)
        parts = _changes(namespace, first, between) + _changes(namespace, between, last)
        what = f"changes from {to_text(first)} by {to_text(between)} to {to_text(last)}"
        check_same(changes, parts, what)
        limit = rng.randint(1, 5)
        query = f"from={to_text(first)}&to={to_text(last)}&limit={limit}"
        page = {"changes": changes[:limit], "truncated": len(changes) > limit}
        check_same(page, namespace.plane("GET", f"diff?{query}"), f"{what}, at most {limit}")
        as_of = namespace.call(
            "GET", f"/_control/v1/diff?from={to_text(first)}&limit=10000", at=last
        ).json
        check_same(changes, as_of["changes"], f"{what}, as of the last")


def _changes(namespace: CheckedNamespace, first: int, last: int) -> list[dict[str, Any]]:
    query = f"from={to_text(first)}&to={to_text(last)}&limit=10000"
    return list(namespace.plane("GET", f"diff?{query}")["changes"])


def _check_chain(
    namespace: CheckedNamespace, first: int, last: int, changes: Iterable[dict[str, Any]]
) -> None:
    before, after = namespace.statuses(first), namespace.statuses(last)
    chains: dict[Key, str | None] = dict(before)
    for each in changes:
        if each["part"] is None:
            found = chains.get(_key(each))
            span = f"from {to_text(first)} to {to_text(last)}"
            assert each["from_status"] == found, f"{span}: {found} before {each}"
            chains[_key(each)] = each["to_status"]
    ends = {key: status for key, status in chains.items() if status is not None}
    check_same(after, ends, f"ends of chains from {to_text(first)} to {to_text(last)}")


def check_prune(namespace: CheckedNamespace, rng: Random) -> None:
    """What is pruned is gone from the past, too; all else is as it was."""
    fork = namespace.fork()
    before = namespace.statuses()
    with fork.control.namespaces.find(fork.name).activate():
        before_at = clock.now() - rng.choice([0, MINUTE, HOUR])
        for surface in SURFACES:
            _prune(surface.retention, before_at)
    ids = [id for surface, id in before.keys() - fork.statuses().keys()]
    fork.leave_out(ids)
    expected = [without(each, ids) for each in namespace.state()]
    check_same(expected, [without(each, ids) for each in fork.state()], f"without {ids}")
    changes = _changes(fork, 0, fork.now())
    assert not [each for each in changes if each["session"] in ids]
    check_chains(fork, rng)


def _prune(retention: Any, before_at: int) -> None:
    keys = retention.ended.all(before_at=before_at, after=0, until=2**62, limit=1000)
    while keys:  # a batch may be cut by the time
        store.run_batch(keys, lambda batch: retention.remove(batch, before_at))


def _timeline(namespace: CheckedNamespace) -> list[dict[str, Any]]:
    return list(namespace.plane("GET", "timeline?limit=1000")["transitions"])


def _explain(namespace: CheckedNamespace, key: Key, at: int) -> Any:
    surface, id = key
    answer = namespace.call("GET", f"/_control/v1/sessions/{surface}/{id}/explain", at=at)
    assert answer.status == 200, answer.body
    return answer.json


def _key(value: dict[str, Any]) -> Key:
    return value["surface"], value.get("session", value.get("id", _NONE))


def _make_operations(rng: Random) -> list[tuple[str, int]]:
    names = rng.choices([*CALLS, *MOVES], k=4)
    return [(name, rng.randrange(10**6)) for name in names]


def _do(namespace: CheckedNamespace, operations: Iterable[tuple[str, int]]) -> None:
    for name, number in operations:
        {**CALLS, **MOVES}[name](namespace, Random(number))


RELATIONS: dict[str, Relation] = {
    "future = really advanced": check_future,
    "past = recorded": check_past,
    "fork = parent": check_fork,
    "restore = identity": check_restore,
    "timeline = reads": check_timeline,
    "explain = read": check_explanations,
    "changes add up": check_chains,
    "prune leaves the rest": check_prune,
}
