"""Measure everything, and say which of the numbers to reach are reached."""

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
    report,
    start,
    targets,
)
from benchmarks.profiles import EFFORTS
from sessionary.settings import Settings

OUT = Path("build/bench")


def main() -> int:
    given = _arguments().parse_args()
    effort = EFFORTS["tiny" if given.tiny else "quick" if given.quick else "full"]
    sizes = [*effort.sizes, *(int(float(rows)) for rows in given.rows)]
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        "in-process": lambda folder: in_process.run(effort, folder),
        "loopback": lambda folder: loopback.run(
            effort, folder, given.server_args, given.durability
        ),
        "growth": lambda folder: growth.run(effort, folder, sizes),
        "contention": lambda folder: contention.run(effort, folder),
        "start": lambda folder: start.run(effort, folder),
        "doubles": lambda _: doubles.run(effort),
        "double": lambda folder: double_process.run(effort, folder),
    }
    began = time.monotonic()
    results: dict[str, Any] = {"machine": measure.machine(), "effort": effort.name, "parts": {}}
    for name in given.only or parts:
        print(f"{time.monotonic() - began:4.0f} s: {name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
            results["parts"][name] = parts[name](Path(folder))
    results["seconds"] = time.monotonic() - began
    reached = targets.judge(results["parts"])
    results["bars"] = [each._asdict() for each in reached]
    text = report.tell(results, reached)
    print(text)
    report.write(given.out, results, text)
    print(f"{given.out}/results.json has every number, table.md this text.", file=sys.stderr)
    return _status()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of five")
    parser.add_argument("--tiny", action="store_true", help="only see that it works")
    parser.add_argument(
        "--only",
        action="append",
        choices=["in-process", "loopback", "growth", "contention", "start", "doubles", "double"],
        help="this part; may be repeated",
    )
    parser.add_argument(
        "--rows", action="append", default=[], help="one more size for growth, such as 1e7"
    )
    parser.add_argument(
        "--server-args",
        action="append",
        default=[],
        metavar="ARGUMENTS",
        help="compare `serve` with these arguments, too; may be repeated",
    )
    parser.add_argument(
        "--durability",
        default=Settings.durability,
        choices=["full", "normal", "off"],
        help="over loopback, of ours and of FastAPI's database",
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"a folder; {OUT} unless given")
    parser.add_argument("--scratch", help="where the databases are made, such as on another disk")
    return parser


def _status() -> int:
    """In CI a missing wrk is a mistake; elsewhere the report says what was left out."""
    if os.environ.get("CI") == "true" and not load.is_possible():
        print(load.MISSING, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
