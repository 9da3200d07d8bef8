"""Where a package is built: apart from the checkout, with nothing around that could slip in."""

import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "setup.py")


def scripts(folder: Path) -> Path:
    """Make an environment in `folder` in which only pip is installed; gives its bin folder."""
    venv.create(folder, with_pip=True)
    return folder / "bin"


def install(pip: Path, folder: Path, *options: str, extras: str = "") -> None:
    """Install the program of this checkout from a copy in `folder`.

    Building in the checkout itself would take along what an earlier build has left there.
    """
    shutil.copytree(ROOT / "app" / "sessionary", folder / "app" / "sessionary")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    subprocess.run([pip, "install", "--quiet", *options, f"{folder}{extras}"], check=True)
