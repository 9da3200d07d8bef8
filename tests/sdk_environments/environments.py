"""The vendor clients that cannot share the test environment, each in a folder of its own.

`python -m tests.sdk_environments.environments` prepares those of the tests below `.clients/` and
leaves alone what is prepared already. It exits non-zero when one of them could not be prepared.
`python -m tests.sdk_matrix` prepares those of older versions.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1] / ".clients"
STEP_TIMEOUT_SECONDS = 600
LOCK_TIMEOUT_SECONDS = 2 * STEP_TIMEOUT_SECONDS  # an installation has two steps


class PreparationError(Exception):
    """An environment could not be prepared; the text is one sentence that says why."""


class InstallerMissingError(PreparationError):
    """The program that would install an environment is not there."""


@dataclass(frozen=True)
class Environment:
    """One folder below `.clients/`, everything in it pinned by the files named in `pins`."""

    name: str
    installer: Literal["pip", "npm"]
    pins: tuple[str, ...]
    program: str

    @classmethod
    def pip(cls, name: str, program: str = "bin/python") -> Environment:
        """Return an environment of Python packages; `locks/NAME.txt` has all of them."""
        return cls(name, "pip", (f"locks/{name}.txt",), program)

    @property
    def folder(self) -> Path:
        return ROOT / self.name

    @property
    def program_path(self) -> Path:
        return self.folder / self.program

    @property
    def stamp(self) -> Path:
        return self.folder / "prepared.sha256"

    def declaration(self) -> str:
        """Return a hash of all that decides what the folder holds: the pins and this module."""
        sources = (Path(__file__), *(HERE / pin for pin in self.pins))
        return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()

    def is_prepared(self) -> bool:
        """Tell whether the folder was prepared to its end, from the declaration of today."""
        # The program is looked for as well: a virtual environment outlives the Python it links to.
        return (
            self.program_path.exists()
            and self.stamp.exists()
            and self.stamp.read_text() == self.declaration()
        )


MOBILECLI = "node_modules/@mobilenext/mobilecli-linux-amd64/mobilecli-linux-amd64"

ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment.pip("galtea-4.18.0"),
        Environment.pip("galtea-cli-5.13.0", "bin/galtea"),
        Environment.pip("notte-1.2.1"),
        Environment.pip("scale-egp-1.1.15"),
        Environment.pip("scale-gp-beta-0.7.0"),
        Environment("npm", "npm", ("package.json", "package-lock.json"), MOBILECLI),
    )
}


def is_ci() -> bool:
    """Tell whether a client that is not there is a failure instead of a reason to skip."""
    return os.environ.get("CI") == "true"


def prepare(environment: Environment) -> str:
    """Make the folder what is declared and return the outcome; raise PreparationError if not."""
    with locked(environment):
        if environment.is_prepared():
            return "up to date"
        steps = list(installation(environment))
        if environment.folder.exists():
            shutil.rmtree(environment.folder)
        environment.folder.mkdir()
        for pin in environment.pins:
            shutil.copy(HERE / pin, environment.folder)
        for step in steps:
            execute(environment, step)
        environment.stamp.write_text(environment.declaration())
    return "prepared"


@contextmanager
def locked(environment: Environment) -> Iterator[None]:
    """Hold the environment's lock; raise PreparationError if another process keeps it too long."""
    ROOT.mkdir(exist_ok=True)
    (ROOT / ".gitignore").write_text("*\n")
    with (ROOT / f"{environment.name}.lock").open("w") as lock:
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        while not is_locked(lock):
            if time.monotonic() > deadline:
                raise PreparationError("another process is still preparing it")
            time.sleep(0.1)
        yield


def is_locked(lock: IO[str]) -> bool:
    """Lock the file if no other process has locked it, and return whether it is locked."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def installation(environment: Environment) -> Iterator[tuple[str, ...]]:
    """Yield the commands that fill the folder, or raise InstallerMissingError."""
    if environment.installer == "pip":
        python = str(environment.folder / "bin/python")
        lock = Path(environment.pins[0]).name
        locked = ("--quiet", "--no-deps", "--only-binary=:all:", "-r", lock)
        if uv := shutil.which("uv"):
            yield uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, "."
            yield uv, "pip", "install", "--compile-bytecode", "--python", python, *locked
        else:
            yield sys.executable, "-m", "venv", "."
            yield python, "-m", "pip", "--disable-pip-version-check", "install", *locked
        return
    npm = shutil.which("npm")
    if npm is None:
        raise InstallerMissingError("npm is not installed")
    yield npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"


def execute(environment: Environment, step: tuple[str, ...]) -> None:
    """Run one command in the folder; raise PreparationError with its last words."""
    try:
        subprocess.run(
            step,
            cwd=environment.folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=STEP_TIMEOUT_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        raise PreparationError(f"{spoken(step)} failed: {complaint(error)}") from error
    except subprocess.TimeoutExpired as error:
        raise PreparationError(
            f"{spoken(step)} was still running after {STEP_TIMEOUT_SECONDS} seconds"
        ) from error


def spoken(step: tuple[str, ...]) -> str:
    program, *arguments = step
    return " ".join([Path(program).name, *arguments])


def complaint(failed: subprocess.CalledProcessError) -> str:
    """Return the line that names the trouble: pip says it last, npm in front of its log's path."""
    lines = [line.strip() for line in f"{failed.stdout}\n{failed.stderr}".splitlines()]
    lines = [line for line in lines if line]
    errors = [line for line in lines if "error" in line.lower() and "complete log" not in line]
    return (errors or lines or ["it said nothing"])[-1]


def main() -> int:
    """Prepare every environment, a line for each, and return the exit status."""
    failures = []
    for environment in ENVIRONMENTS.values():
        print(f"{environment.name}: ", end="", flush=True)
        try:
            print(prepare(environment))
        except InstallerMissingError as error:
            print(f"skipped, {error}")
            if is_ci():
                failures.append(f"{environment.name} is needed in CI, but {error}")
        except (PreparationError, OSError) as error:
            print("failed")
            failures.append(f"{environment.name} could not be prepared: {error}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
