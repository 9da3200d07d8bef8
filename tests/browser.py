"""The browser of the console's tests.

`python -m tests.browser` installs Debian's Chromium where none is found, and exits non-zero when
the browser is needed but cannot be had.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.sdk_environments.environments import is_ci

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = f"no browser on PATH ({', '.join(NAMES)}): run `python -m tests.browser`"
INSTALL_TIMEOUT_SECONDS = 600
APT = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=300")
INSTALLATION = (
    (*APT, "update"),
    (*APT, "install", "-y", "--no-install-recommends", "chromium"),
)


def find() -> str | None:
    """Return the path of the first browser on PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def can_install() -> bool:
    """Return whether this is root on Debian or a distribution like it."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()


def install() -> str | None:
    """Install Debian's Chromium; return what failed, or None. apt-get prints its progress."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in INSTALLATION:
        try:
            subprocess.run(command, env=environment, check=True, timeout=INSTALL_TIMEOUT_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
    return None


def main() -> int:
    """Find or install the browser, say which, and return the exit status."""
    if find() is None and can_install():
        print("installing chromium", flush=True)
        if failure := install():
            print(f"chromium could not be installed: {failure}", file=sys.stderr)
            return 1
    found = find()
    print(found or f"skipped, {MISSING}")
    return 1 if found is None and is_ci() else 0


if __name__ == "__main__":
    sys.exit(main())
