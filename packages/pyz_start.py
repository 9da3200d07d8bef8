"""What the .pyz runs."""

import os
import sys

if sys.platform == "linux":
    # Modules that are imported late are found even when a new version has taken the file's place.
    sys.path[0] = f"/proc/self/fd/{os.open(sys.path[0], os.O_RDONLY)}"

from sessionary.cli import main

main()
