"""The code blocks of the README, CONTRIBUTING and docs/, by kind, and how to run them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.processes import TIMEOUT_SECONDS

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
PATHS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ADDRESS = "127.0.0.1:8000"  # of the server in every example


class Block(NamedTuple):
    """A code block: the document's path below the root, what follows its backticks, its text."""

    document: str
    kind: str
    text: str


BLOCKS = [
    Block(str(path.relative_to(ROOT)), kind, text)
    for path in PATHS
    for kind, text in re.findall(
        r"^```(\w+(?: [\w-]+)?)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL
    )
]


def blocks(kind: str, document: str | None = None) -> list[str]:
    """The texts of this kind, in one document or in all."""
    return [each.text for each in BLOCKS if each.kind == kind and document in (None, each.document)]


def block(kind: str, document: str | None = None) -> str:
    """The text of the only block of this kind."""
    (text,) = blocks(kind, document)
    return text


def run(
    *command: str, cwd: Path = ROOT, timeout: float = TIMEOUT_SECONDS, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with this environment's programs first in the path; raise if it fails."""
    path = f"{SCRIPTS}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"PATH": path, "DISABLE_TELEMETRY": "true"} | variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def run_script(script: str, cwd: Path = ROOT, **variables: str) -> str:
    """Run a shell script and return what it printed; fail if one of its lines fails."""
    return run("sh", "-ec", script, cwd=cwd, **variables).stdout


def check_out(folder: Path) -> Path:
    """Copy every tracked file, as it is now."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in tracked.stdout.decode().split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder
