"""Build every package into `dist/`; print its size, build time and start time."""

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from release import environment, one_file, pyz

_STARTS = 5


def main() -> None:
    """Print one line per package."""
    for package in (one_file, pyz):
        began = time.monotonic()
        file = package.build(environment.ROOT / "dist")
        took = time.monotonic() - began
        command = [str(file)] if package is one_file else [sys.executable, "-I", str(file)]
        start = statistics.median(_start_seconds(command) for _ in range(_STARTS))
        size = file.stat().st_size / 1e6
        print(f"{file}: {size:.1f} MB, built in {took:.0f} s, answers after {start:.2f} s")


def _start_seconds(command: list[str]) -> float:
    """Return the seconds from the command to the first response, on a new database."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port=0", "--auth=lenient", f"--db={Path(folder, 'new.sqlite3')}"]
        began = time.monotonic()
        with subprocess.Popen(
            [*command, "serve", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as server:
            assert server.stdout is not None
            url = server.stdout.readline().decode().split("listens on ")[1].partition(",")[0]
            urllib.request.urlopen(f"{url}/health").close()
            took = time.monotonic() - began
            server.terminate()
    return took


if __name__ == "__main__":
    main()
