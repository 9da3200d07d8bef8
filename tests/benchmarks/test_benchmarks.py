"""The benchmark runs. Measurements of its shortest form mean nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__, load, loopback, stalls, targets
from benchmarks.requests import Request
from benchmarks.rivals import servers
from benchmarks.rivals.servers import Call

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


needs_wrk = pytest.mark.skipif(not load.is_possible(), reason=load.MISSING)


@needs_wrk
def test_requests_that_a_server_refuses_are_named_and_void_its_row(tmp_path: Path) -> None:
    with servers.hello_on_gthread() as right, servers.hello_on_ours(tmp_path) as served:
        ours = served._replace(name=loopback.OURS)
        assert failed_of(compare(tmp_path, ours, right)) == []
        calls = [*right.calls["get"], Call(Request("GET", "/no"), {})]
        found = compare(tmp_path, ours, right._replace(calls={"get": calls}))
    (failure,) = failed_of(found)
    assert failure.startswith(f"8 get, {right.name}: ")
    (row,) = found["rows"]
    assert (row["ours"], row["theirs"]) == (loopback.OURS, right.name)
    assert row["void"].endswith("requests were refused or failed")


def compare(folder: Path, *compared: servers.Server) -> dict[str, Any]:
    return loopback.compare(compared, "get", 8, 1, folder)


def failed_of(found: dict[str, Any]) -> list[str]:
    return list(loopback.failures({"connections": {"8 get": found}}))


def test_a_run_with_one_refused_request_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = dict.fromkeys(("per_second", "cpu_us_per_request", "p99_ms", "requests"), 9)
    both = {
        loopback.OURS: {**figures, "refused": 0, "broken": 0},
        loopback.MOTO: {**figures, "refused": 1, "broken": 0},
    }
    row = {"ours": loopback.OURS, "theirs": loopback.MOTO, "ratio": 1.0, "void": "1 failed"}
    compared = {"8 get": {"load_before": 0.0, "servers": both, "rows": [row]}}
    found = {"durability": "full", "skipped_rivals": {}, "connections": compared}
    monkeypatch.setattr(loopback, "run", lambda *_: found)
    arguments = ["--tiny", "--only", "loopback", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["benchmarks", *arguments])
    assert __main__.main() == 1
    written = capsys.readouterr()
    assert "8 get, moto_server: 1 of 9 requests were refused, 0 failed" in written.err
    assert f"| {loopback.OURS} | {loopback.MOTO}" in written.out


def test_ours_are_compared_with_those_that_keep_what_they_keep() -> None:
    names = [loopback.OURS, loopback.DOUBLE, loopback.FASTAPI, loopback.MOTO]
    assert list(loopback._pairs(names)) == [
        (loopback.OURS, loopback.FASTAPI),
        (loopback.OURS, loopback.MOTO),
        (loopback.DOUBLE, loopback.MOTO),
    ]
