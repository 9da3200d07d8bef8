"""Conversations of our scripts with a server, held in the environment of a vendor's client.

Each script runs in a process of its own that inherits neither proxies nor credentials, has an empty
home, reaches no other host, and prints one JSON document as its last line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.sdk_environments.environments import ENVIRONMENTS, HERE, Environment, is_ci

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS = 60


def run(environment: str, script: Path, *args: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a Python script in an environment and return what it printed last, parsed."""
    return hear(script, guarded(prepared(environment).program_path, script, args), env=env)


def run_here(script: Path, *args: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a Python script where the tests run and the newest clients are, as `run` does."""
    return hear(script, guarded(sys.executable, script, args), env=env)


def guarded(python: Path | str, script: Path, args: tuple[str, ...]) -> tuple[str, ...]:
    guard = HERE / "loopback_only.py"
    return (str(python), "-I", "-X", "utf8", str(guard), str(script), *args)


def run_node(script: Path, *args: str, env: Mapping[str, str] | None = None) -> Any:
    """Run an ES module with the mobilenext environment's packages, as `run` does."""
    folder = prepared("mobilenext").folder
    node = shutil.which("node") or unavailable("node is not installed")
    guard = (HERE / "loopback_only.mjs").as_uri()
    # From standard input, because node looks for packages from the place of the module, which is
    # then the working directory.
    command = (node, f"--import={guard}", "--input-type=module", "-", *args)
    return hear(script, command, env=env, cwd=folder, stdin=script.read_text())


def mobilecli() -> Path:
    """Return the mobilecli binary; give it `client_environment(...)` to run in."""
    return prepared("mobilenext").program_path


def client_environment(home: Path | str, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment of a client: nothing of this process's own, then `env`."""
    return {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", **(env or {})}


def prepared(name: str) -> Environment:
    environment = ENVIRONMENTS[name]
    if not environment.is_prepared():
        unavailable(f"{name} is not prepared: run `python -m tests.sdk_environments.environments`")
    return environment


def unavailable(reason: str) -> NoReturn:
    if is_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def hear(
    script: Path,
    command: tuple[str, ...],
    *,
    env: Mapping[str, str] | None,
    cwd: Path | None = None,
    stdin: str = "",
) -> Any:
    with TemporaryDirectory() as home:
        try:
            finished = subprocess.run(
                command,
                cwd=cwd or home,
                env=client_environment(home, env),
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            said = (error.stderr or b"").decode(errors="replace")
            pytest.fail(f"{script.name} ran for more than {TIMEOUT_SECONDS} seconds:\n{said}")
    if finished.returncode != 0:
        pytest.fail(f"{script.name} ended with {finished.returncode}:\n{finished.stderr}")
    return last_document(script, finished.stdout)


def last_document(script: Path, stdout: str) -> Any:
    try:
        return json.loads(stdout.splitlines()[-1])
    except (IndexError, ValueError):
        pytest.fail(f"{script.name} did not end with a line of JSON, but printed:\n{stdout}")
