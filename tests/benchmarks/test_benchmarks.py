"""The benchmark runs. Measurements of its shortest form mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import stalls, targets

ROOT = Path(__file__).parents[2]


def run(out: Path, *arguments: str) -> dict[str, Any]:
    """Run the shortest benchmark; return its results."""
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--out", str(out), *arguments]
    outside_ci = {name: text for name, text in os.environ.items() if name != "CI"}
    ended = subprocess.run(
        command, cwd=ROOT, env=outside_ci, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert (out / "table.md").read_text(encoding="utf-8") in ended.stdout
    return dict(json.loads((out / "results.json").read_text(encoding="utf-8")))


def test_every_target_is_measured_or_says_why_not(tmp_path: Path) -> None:
    targets = {target["key"]: target for target in run(tmp_path)["targets"]}

    assert set(targets) == {
        "get_in_process",
        "create_in_process",
        "list_in_process",
        "list_with_orjson",
        "get_over_hello",
        "get_over_moto",
        "create_over_moto",
        "get_over_fastapi",
        "create_over_fastapi",
        "create_full_over_raw",
        "pages_grown",
        "total_grown",
        "lock_errors",
        "worst_wait",
        "cold_start",
        "idle_memory",
        "memory_grown",
        "around_a_test",
        "create_namespace",
        "reset_namespace",
        "fork_namespace",
        "past_session",
        "past_page",
        "past_diff",
        "double_ready",
        "double_memory",
        "double_stop",
        "namespace_memory",
        *("timeline", "to_next", "sessions", "sessions_of_mobilenext"),
        *(f"{name}_{figure}" for name in stalls.SCENARIOS for figure in ("wait", "memory")),
    }
    unexplained = [
        key
        for key, target in targets.items()
        if target["measured"] is None and "install" not in target["note"]
    ]
    assert unexplained == []
    for surface in ("scale", "mobilenext", "notte", "galtea"):
        assert (tmp_path / f"growth-{surface}.svg").read_text().startswith("<svg")


def test_one_part_can_be_measured_alone(tmp_path: Path) -> None:
    assert list(run(tmp_path, "--only", "in-process")["parts"]) == ["in-process"]


@pytest.mark.parametrize(
    ("worst", "without_machine", "met"), [(250, 20, True), (251, 251, False), (251, 250, None)]
)
def test_a_wait_over_its_limit_is_void_where_only_the_machine_was_late(
    worst: float, without_machine: float, met: bool | None
) -> None:
    waits = {"worst_ms": worst, "without_machine_ms": without_machine, "quiet_worst_ms": 9}
    outcomes = targets.evaluate({"stalls": {"foreign_lock": {**waits, "note": "held"}}})
    found = next(each for each in outcomes if each.key == "foreign_lock_wait")
    assert (found.measured, found.met) == (worst, met)
    assert found.note.startswith("VOID") == (met is None)
