"""Build `dist/sessionary`, one executable file that needs no Python where it runs.

It is for the processor and the kind of system that it is built on, whose C library must be at
least as new there. Needs binutils.
"""

import subprocess
import tempfile
from pathlib import Path

from release import environment

# None is needed, and readline would bring a library that is licensed otherwise.
_LEFT_OUT = ("doctest", "pdb", "pydoc", "readline", "setuptools", "unittest")
_START = Path(__file__).with_name("one_file_start.py")


def build(folder: Path) -> Path:
    """Build the file in `folder` and give its path."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        scripts = environment.scripts(place / "environment")
        environment.install(scripts / "pip", place / "program", "one-file.txt")
        command: list[str | Path] = [
            *(scripts / "pyinstaller", "--log-level=ERROR", "--onefile", "--strip"),
            *("--name=sessionary", f"--distpath={folder.absolute()}"),
            *(f"--workpath={place}", f"--specpath={place}"),
            "--collect-submodules=sessionary",
            "--hidden-import=gunicorn.glogging",  # gunicorn knows it by name only
            "--recursive-copy-metadata=sessionary",  # with the licence of each part
            *(f"--exclude-module={module}" for module in _LEFT_OUT),
        ]
        subprocess.run([*command, _START], check=True)
    return folder / "sessionary"


if __name__ == "__main__":
    print(build(environment.ROOT / "dist"))
