"""Random operations on all surfaces, and the relations that hold between reads of a namespace.

A case is a number: the seed of its settings and operations. A case that fails is reduced to the
fewest operations that still fail, and printed with them.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import pytest
import time_machine
from flask import Flask

from sessionary import replay
from sessionary.factory import create_double
from tests.conftest import double_settings
from tests.metamorphic.namespaces import NOON, CheckedNamespace, check_same
from tests.metamorphic.operations import CALLS, DEVICES, MOVES, PEOPLE, SEED_ROWS, SEEDED
from tests.metamorphic.relations import RELATIONS

CASE_COUNT = 16
LONG_MINUTES = float(os.environ.get("METAMORPHIC_MINUTES", "30"))
MAX_SHRINKS = 40
_WALL_START = NOON
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"galtea_auto_close_minutes": 5, "mobilenext_lease_minutes": 7},
    {"galtea_auto_close_minutes": 1, "notte_keep_alive": "timeout"},
    {"mobilenext_lease_minutes": 20, "mobilenext_empty_session_minutes": 3},
)

Step = tuple[str, int]  # an operation or relation, and the seed of its choices
MakeNamespace = Callable[[int], CheckedNamespace]


@pytest.fixture(scope="module")
def make_namespace() -> Iterator[MakeNamespace]:
    """Make the namespace of a case."""
    with ExitStack() as stack:
        apps: dict[int, Flask] = {}

        def make(case: int) -> CheckedNamespace:
            number = case % len(SETTINGS)
            if number not in apps:
                apps[number] = create_double(double_settings(**SETTINGS[number]))
                control = apps[number].extensions["sessionary.control"]
                stack.callback(control.namespaces.close)
            namespaces = apps[number].extensions["sessionary.control"].namespaces
            for name in namespaces.names():
                if name != "default":
                    namespaces.drop(name)
            return CheckedNamespace(apps[number], "t", _describe(Random(case)))

        yield make


def _describe(rng: Random) -> dict[str, Any]:
    """What a namespace begins with: ids, devices, some sessions, sometimes a fault."""
    devices: list[dict[str, Any]] = [
        {"serial": serial, "platform": "android", "type": "real", "name": "P", "version": "16"}
        for serial in DEVICES
    ]
    devices[0]["provision_seconds"] = 240
    devices[3] |= {"platform": "ios", "provision_seconds": 60}
    seed: dict[str, Any] = {"devices": devices, **PEOPLE}
    surface = rng.choice([*SEED_ROWS, None])
    if surface is not None:
        row = {"created_ago": "10m", **SEED_ROWS[surface](Random(0)), "id": SEEDED[surface][0]}
        seed[surface] = {"sessions": [row]}
    fault = {"surface": "notte", "method": "POST", "status": 503, "times": 1}
    return {
        "now": NOON,
        "ids": "x",
        "record": True,
        "seed": seed,
        "faults": [fault] * rng.randrange(2),
    }


def _make_steps(case: int) -> list[Step]:
    """The operations of a case, with one relation among them; all are checked at its end."""
    rng = Random(case)
    moves = [name for name in MOVES if name != "move back" or case % 3]
    names = rng.choices([*CALLS, *moves, *moves], k=rng.randint(8, 30))
    names.insert(rng.randrange(len(names)), rng.choice([*RELATIONS]))
    return [(name, rng.randrange(10**6)) for name in names]


def check_case(make_namespace: MakeNamespace, case: int, steps: Sequence[Step]) -> None:
    """Do the steps, and check every relation."""
    namespace = make_namespace(case)
    ends = [(name, case) for name in RELATIONS]
    answers = []
    for attempt in range(2):
        with time_machine.travel(_WALL_START, tick=False) as traveller:
            namespace.wall = traveller
            if attempt == 0:
                namespace.create()
                first = namespace.state()
            else:
                _reset(namespace)
                check_same(first, namespace.state(), "reset")
            for name, number in [*steps, *(ends if attempt == 0 else [])]:
                {**CALLS, **MOVES, **RELATIONS}[name](namespace, Random(number))
        answers.append(namespace.answers)
    check_same(answers[0], answers[1], "done again after a reset")
    _check_replay(namespace, Random(case))


def _check_replay(namespace: CheckedNamespace, rng: Random) -> None:
    """The run that was recorded, with its reset, has the same answers when it is done again."""
    lines = namespace.client.get(f"/~{namespace.name}/_control/v1/run").data
    with TemporaryDirectory() as folder:
        path = Path(folder, "run.jsonl")
        path.write_bytes(lines)
        run = replay.read(path)
    # Some of the reads are enough, since they change nothing but the numbers of the journal.
    kept = [step for step in run.steps if step.get("method") != "GET" or rng.random() < 0.05]
    run = run.with_steps(kept)
    with replay.running_double(run) as client:
        played = replay.play(run, client)
    for call in (*run.calls, *played.calls):
        call["answer_headers"].pop("Link", None)
    difference = replay.first_difference(run, played)
    if difference is not None:
        raise AssertionError(f"replay: {difference}")


def _reset(namespace: CheckedNamespace) -> None:
    namespace.plane("POST", f"namespaces/{namespace.name}/reset", root=True)
    namespace.recorded, namespace.answers, namespace.inexact = {}, [], set()


def run_case(make_namespace: MakeNamespace, case: int) -> None:
    """Check a case; if it fails, reduce it."""
    steps = _make_steps(case)
    try:
        check_case(make_namespace, case, steps)
    except Exception as error:  # noqa: BLE001 - whatever fails is reduced
        kept, found = _shrink(partial(check_case, make_namespace, case), steps, error)
        lines = "".join(f"    {step},\n" for step in kept)
        text = f"case {case} fails: {type(found).__name__}: {found}\nits steps:\n{lines}"
        raise AssertionError(text) from None


def _shrink(
    check: Callable[[Sequence[Step]], None], steps: list[Step], error: Exception
) -> tuple[list[Step], Exception]:
    """Leave out steps, first many at once, as long as the rest fails."""
    size, attempts = len(steps) // 2, 0
    while size and attempts < MAX_SHRINKS:
        start, is_shorter = 0, False
        while start < len(steps) and attempts < MAX_SHRINKS:
            rest = steps[:start] + steps[start + size :]
            attempts += 1
            try:
                check(rest)
                start += size
            except Exception as found:  # noqa: BLE001 - any failure counts
                steps, error, is_shorter = rest, found, True
        size = size if is_shorter and size == 1 else size // 2
    return steps, error


@pytest.mark.parametrize("case", range(CASE_COUNT))
def test_relations_hold_after_random_operations(make_namespace: MakeNamespace, case: int) -> None:
    run_case(make_namespace, case)


@pytest.mark.long
def test_relations_hold_after_random_operations_for_long(make_namespace: MakeNamespace) -> None:
    """`METAMORPHIC_MINUTES` has the minutes (30), `METAMORPHIC_CASE` the first case."""
    case = int(os.environ.get("METAMORPHIC_CASE", str(CASE_COUNT)))
    failures: list[str] = []
    ends = monotonic() + 60 * LONG_MINUTES
    while monotonic() < ends and len(failures) < 5:
        try:
            run_case(make_namespace, case)
        except AssertionError as error:
            failures.append(str(error))
        case += 1
    print(f"the last case was {case - 1}")
    assert not failures, "\n\n".join(failures)
