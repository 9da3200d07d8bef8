"""The gate: `python -m tests` runs every check that a change must pass."""

import subprocess
import sys
import time

CHECKS = {
    "client environments": [sys.executable, "-m", "tests.sdk_environments.environments"],
    "browser": [sys.executable, "-m", "tests.browser"],
    "ruff": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports", "--no-cache"],
    "tests": [sys.executable, "-m", "pytest", "-n", "2", *sys.argv[1:]],
}


def main() -> int:
    from pathlib import Path

    scripts = Path(sys.executable).parent
    failed = []
    for name, command in CHECKS.items():
        print(f"== {name}", flush=True)
        began = time.monotonic()
        program = str(scripts / command[0])
        if subprocess.run([program, *command[1:]], check=False).returncode:
            failed.append(name)
        print(f"== {name}: {time.monotonic() - began:.1f} s", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
