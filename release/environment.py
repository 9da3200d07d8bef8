"""Where a package is built: apart from the checkout, with nothing around that could slip in."""

import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "setup.py")


def scripts(folder: Path) -> Path:
    """Make an environment in `folder` with what builds the program; return its bin folder."""
    venv.create(folder, with_pip=True)
    _install_lock(folder / "bin" / "pip", "build.txt")
    return folder / "bin"


def install(pip: Path, folder: Path, lock: str, *options: str) -> None:
    """Install what the lock pins, and the program of this checkout from a copy in `folder`.

    A build in the checkout itself would contain files that an earlier build has left there.
    """
    _install_lock(pip, lock, *options)
    shutil.copytree(ROOT / "app" / "sessionary", folder / "app" / "sessionary")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    _run(pip, "--no-deps", "--no-build-isolation", *options, folder)


def _install_lock(pip: Path, lock: str, *options: str) -> None:
    _run(pip, "--require-hashes", *options, "--requirement", ROOT / "requirements" / lock)


def _run(pip: Path, *arguments: str | Path) -> None:
    subprocess.run([pip, "install", "--quiet", *arguments], check=True)
