"""Run a server under load, kill its workers, back it up, and check what it promises."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.soak import report, running

OUT = Path("build/bench/soak")


def main() -> int:
    given = _arguments().parse_args()
    seconds = given.minutes * 60
    chosen = {name: getattr(given, name) for name in running.Plan._fields[1:]}
    for name in chosen:
        if name.endswith("_every"):
            chosen[name] = min(chosen[name], seconds / 3)
    plan = running.Plan(seconds, **chosen)
    results: dict[str, Any] = {"machine": measure.machine()}
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        results |= asyncio.run(running.run(plan, Path(folder)))
    text = report.render(results)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    (given.out / "table.md").write_text(text, encoding="utf-8")
    print(text)
    return int(any(each["times"] for each in results["promises"].values()))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        epilog="Intervals are at most a third of the whole time.",
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--clients", type=int, default=64, help="clients, each with an open connection"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=20, metavar="SECONDS")
    parser.add_argument("--backup-every", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--lock-every", type=float, default=60, metavar="SECONDS")
    parser.add_argument(
        "--lock-seconds", type=float, default=5, help="how long a foreign process holds the lock"
    )
    parser.add_argument("--seed-every", type=float, default=45, metavar="SECONDS")
    parser.add_argument("--seed-rows", type=int, default=1_000)
    parser.add_argument("--idle", type=int, default=200, help="idle connections")
    parser.add_argument("--never-reading", type=int, default=50, help="clients that never read")
    parser.add_argument(
        "--health-ms", type=float, default=250, help="limit for 99.9 %% of the health checks"
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"output folder (default: {OUT})")
    parser.add_argument("--scratch", help="folder for the database, e.g. on another disk")
    return parser


if __name__ == "__main__":
    sys.exit(main())
