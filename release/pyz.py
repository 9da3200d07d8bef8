"""Build `dist/sessionary.pyz`, one small file for any system with Python 3.11 or newer.

It is not unpacked, so it holds no compiled extensions: packages that have some fall back to
Python, and JSON is written without orjson.
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
    """Build the file in `folder`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "sessionary.pyz"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        scripts = environment.scripts(work / "environment")
        content = work / "content"
        options = ("--no-compile", f"--target={content}")
        environment.install(scripts / "pip", work / "program", "pyz.txt", *options)
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
    """Add bytecode, so that the same version of Python starts faster."""
    compileall.compile_dir(
        content,
        quiet=1,
        legacy=True,
        stripdir=str(content),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


if __name__ == "__main__":
    print(build(environment.ROOT / "dist"))
