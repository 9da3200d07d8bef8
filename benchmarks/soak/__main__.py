"""Leave a server running under load, with all that may happen to it, and see what it keeps."""

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
    plan = running.Plan(
        given.minutes * 60, given.clients, given.workers, given.kill_every, given.backup_every
    )
    results: dict[str, Any] = {"machine": measure.machine()}
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        results |= asyncio.run(running.run(plan, Path(folder)))
    text = report.tell(results)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    (given.out / "table.md").write_text(text, encoding="utf-8")
    print(text)
    return int(any(each["times"] for each in results["promises"].values()))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=64, help="each keeps a connection open")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=20, metavar="SECONDS")
    parser.add_argument("--backup-every", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--out", type=Path, default=OUT, help=f"a folder; {OUT} unless given")
    parser.add_argument("--scratch", help="where the database is made, such as on another disk")
    return parser


if __name__ == "__main__":
    sys.exit(main())
