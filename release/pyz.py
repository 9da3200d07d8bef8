"""Build `dist/sessionary.pyz`, one light file for any system with Python 3.11 or newer.

Nothing of it is ever unpacked, so it holds no compiled code: the parts that bring some work
without it, and answers are written without orjson.
"""

import compileall
import py_compile
import shutil
import tempfile
import zipapp
from pathlib import Path

from release import environment

_START = Path(__file__).with_name("pyz_start.py")


def build(folder: Path) -> Path:
    """Build the file in `folder` and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "sessionary.pyz"
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        scripts = environment.scripts(place / "environment")
        content = place / "content"
        options = ("--no-compile", f"--target={content}")
        environment.install(scripts / "pip", place / "program", "pyz.txt", *options)
        shutil.copy(_START, content / "__main__.py")
        _compile(content)
        zipapp.create_archive(
            content,
            file,
            interpreter="/usr/bin/env python3",
            filter=lambda path: path.suffix != ".so" and path.parts[0] != "bin",
            compressed=True,
        )
    file.chmod(0o755)
    return file


def _compile(content: Path) -> None:
    """Put compiled modules beside the others, for a Python like this one to start faster."""
    compileall.compile_dir(
        content,
        quiet=1,
        legacy=True,
        stripdir=str(content),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


if __name__ == "__main__":
    print(build(environment.ROOT / "dist"))
