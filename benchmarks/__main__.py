"""Run the benchmarks and compare the results with the targets."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    contention,
    double_process,
    doubles,
    growth,
    in_process,
    load,
    loopback,
    measure,
    past,
    report,
    stalls,
    start,
    targets,
    transitions,
)
from benchmarks.profiles import PROFILES
from benchmarks.results import failures
from sessionary.settings import Settings

OUT = Path("build/bench")


def main() -> int:
    given = _arguments().parse_args()
    profile = PROFILES["tiny" if given.tiny else "quick" if given.quick else "full"]
    sizes = [*profile.sizes, *(int(float(rows)) for rows in given.rows)]
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        "in-process": lambda folder: in_process.run(profile, folder),
        "loopback": lambda folder: loopback.run(
            profile, folder, given.server_args, given.durability
        ),
        "growth": lambda folder: growth.run(profile, folder, sizes),
        "contention": lambda folder: contention.run(profile, folder),
        "start": lambda folder: start.run(profile, folder),
        "doubles": lambda _: doubles.run(profile),
        "double": lambda folder: double_process.run(profile, folder),
        "past": lambda _: past.run(profile),
        "transitions": lambda folder: transitions.run(profile, folder),
        "stalls": lambda folder: stalls.run(profile, folder),
    }
    began = time.monotonic()
    results: dict[str, Any] = {"machine": measure.machine(), "profile": profile.name}
    results |= {"parts": {}, "other_cpus": {}}
    for name in given.only or parts:
        print(f"{time.monotonic() - began:4.0f} s: {name} …", file=sys.stderr, flush=True)
        others = load.OtherCpus()
        with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
            results["parts"][name] = parts[name](Path(folder))
        results["other_cpus"][name] = others.read()
    results["seconds"] = time.monotonic() - began
    results["machine"]["load_after"] = round(os.getloadavg()[0], 2)
    outcomes = targets.evaluate(results["parts"])
    results["targets"] = [each._asdict() for each in outcomes]
    text = report.render(results, outcomes)
    print(text)
    report.write(given.out, results, text)
    print(f"All results: {given.out}/results.json; this text: table.md.", file=sys.stderr)
    return _status(results["parts"])


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of five")
    parser.add_argument("--tiny", action="store_true", help="only check that it runs")
    parser.add_argument(
        "--only",
        action="append",
        choices=[
            "in-process",
            "loopback",
            "growth",
            "contention",
            "start",
            "doubles",
            "double",
            "past",
            "transitions",
            "stalls",
        ],
        help="run this part only; may be repeated",
    )
    parser.add_argument(
        "--rows", action="append", default=[], help="another table size for growth, e.g. 1e7"
    )
    parser.add_argument(
        "--server-args",
        action="append",
        default=[],
        metavar="ARGUMENTS",
        help="also measure `serve` with these arguments; may be repeated",
    )
    parser.add_argument(
        "--durability",
        default=Settings.durability,
        choices=["full", "normal", "off"],
        help="durability over loopback, of our database and of FastAPI's",
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"output folder (default: {OUT})")
    parser.add_argument("--scratch", help="folder for the databases, e.g. on another disk")
    return parser


def _status(parts: dict[str, Any]) -> int:
    """Fail if a request failed, and in CI if wrk is missing, which the report says elsewhere."""
    failed = list(failures(parts))
    if failed:
        print("\n".join(["FAILED: the measurements mean nothing.", *failed]), file=sys.stderr)
        return 1
    if os.environ.get("CI") == "true" and not load.is_possible():
        print(load.MISSING, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
