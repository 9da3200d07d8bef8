"""A clean environment and source copy, apart from the checkout, to build a package in."""

import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "setup.py")


def scripts(folder: Path) -> Path:
    """Create an environment with the build requirements; return its bin folder."""
    venv.create(folder, with_pip=True)
    _install_lock(folder / "bin" / "pip", "build.txt")
    return folder / "bin"


def install(pip: Path, folder: Path, lock: str, *options: str) -> None:
    """Install the locked requirements, and this checkout's program from a copy in `folder`.

    A build in the checkout itself would include files left by an earlier build.
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
