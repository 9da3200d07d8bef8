"""Entry point of the .pyz."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older one can run this file
    sys.exit(f"Error: sessionary.pyz needs Python 3.11 or newer; this is {sys.version.split()[0]}")

if sys.platform == "linux":
    # Late imports are read from this file even after a new version has replaced it.
    sys.path[0] = f"/proc/self/fd/{os.open(sys.path[0], os.O_RDONLY)}"

from sessionary.cli import main

main()
