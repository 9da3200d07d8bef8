"""What the .pyz runs."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - nothing else keeps an older one from this file
    sys.exit(f"Error: sessionary.pyz needs Python 3.11 or newer; this is {sys.version.split()[0]}")

if sys.platform == "linux":
    # Modules that are imported late are found even when a new version has taken the file's place.
    sys.path[0] = f"/proc/self/fd/{os.open(sys.path[0], os.O_RDONLY)}"

from sessionary.cli import main

main()
