"""Build `dist/sessionary`, one executable file that needs no Python where it runs.

It runs on the same processor and kind of system, with a C library that is at least as new as the
one of the build. Needs binutils.
"""

import subprocess
import tempfile
from pathlib import Path

from release import environment

# Not needed; readline would also add a library under another licence.
_EXCLUDED = ("doctest", "pdb", "pydoc", "readline", "setuptools", "unittest")
_START = Path(__file__).with_name("one_file_start.py")


def build(folder: Path) -> Path:
    """Build the file in `folder`; return its path."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        scripts = environment.scripts(work / "environment")
        environment.install(scripts / "pip", work / "program", "one-file.txt")
        command: list[str | Path] = [
            *(scripts / "pyinstaller", "--log-level=ERROR", "--onefile", "--strip"),
            *("--name=sessionary", f"--distpath={folder.absolute()}"),
            *(f"--workpath={work}", f"--specpath={work}"),
            "--collect-submodules=sessionary",
            "--collect-data=sessionary",
            "--hidden-import=gunicorn.glogging",  # gunicorn imports it by name
            "--recursive-copy-metadata=sessionary",  # with the licences
            *(f"--exclude-module={module}" for module in _EXCLUDED),
        ]
        subprocess.run([*command, _START], check=True)
    return folder / "sessionary"


if __name__ == "__main__":
    print(build(environment.ROOT / "dist"))
