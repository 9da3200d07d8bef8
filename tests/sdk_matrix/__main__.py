"""`python -m tests.sdk_matrix` runs every client's conversation and writes docs/clients.md.

It installs what is not there below `.clients/`, from locked versions. `--only NAME` runs the
versions of one client, or one version (`galtea-5.4.0`), and writes nothing. The exit code is 1 if
a client could not be installed or failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.sdk_matrix.clients import CLIENTS, Client
from tests.sdk_matrix.results import WORKS, Result, converse, table, with_table

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "clients.md"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sdk_matrix", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="a client, or one version of it")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(arguments)
    chosen = [each for each in CLIENTS if options.only in (None, each.name, each.key)]
    if not chosen:
        parser.error(f"--only: no client is named {options.only}")
    results = []
    for number, client in enumerate(chosen, 1):
        results.append(report(client, f"{number}/{len(chosen)}"))
    if options.only is None:
        DOCUMENT.write_text(with_table(DOCUMENT.read_text(), results))
    print(json.dumps([each._asdict() for each in results]) if options.json else table(results))
    return int(any(each.result != WORKS for each in results))


def report(client: Client, place: str) -> Result:
    """Run one conversation with a line of progress before and after it."""
    print(f"{place} {client.name} {client.version} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    result = converse(client)
    took = time.monotonic() - began
    print(f"    {result.result} ({took:.1f} s)", file=sys.stderr, flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
