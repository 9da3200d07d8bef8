"""Run scripts that use a vendor's SDK, in the environment of that SDK.

Each script runs in its own process with no inherited proxies or credentials, an empty home and
connections to this host only. It prints one JSON document as its last line.
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

TIMEOUT_SECONDS = 120
MOBILECLI_VERSIONS = ("1.0.9", "1.0.13")


def run(environment: str, script: Path, *args: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a Python script in an environment and return the JSON of its last line."""
    return run_command(script, guarded(prepared(environment).program_path, script, args), env=env)


def run_here(script: Path, *args: str, env: Mapping[str, str] | None = None) -> Any:
    """Run a Python script in the test environment, which has the newest SDKs."""
    return run_command(script, guarded(sys.executable, script, args), env=env)


def guarded(python: Path | str, script: Path, args: tuple[str, ...]) -> tuple[str, ...]:
    guard = HERE / "loopback_only.py"
    return (str(python), "-I", "-X", "utf8", str(guard), str(script), *args)


def run_node(script: Path, *args: str, env: Mapping[str, str] | None = None) -> Any:
    """Run an ES module with the packages of npm."""
    folder = prepared("npm").folder
    node = shutil.which("node") or unavailable("node is not installed")
    guard = (HERE / "loopback_only.mjs").as_uri()
    # From standard input: node then searches packages from the working directory.
    command = (node, f"--import={guard}", "--input-type=module", "-", *args)
    return run_command(script, command, env=env, cwd=folder, stdin=script.read_text())


def mobilecli(version: str = MOBILECLI_VERSIONS[0]) -> Path:
    """Return the path of mobilecli; run it in `client_environment(...)`."""
    npm = prepared("npm")
    if version == MOBILECLI_VERSIONS[0]:
        return npm.program_path
    return npm.folder / f"node_modules/mobilecli-{version}" / npm.program_path.name


def client_environment(home: Path | str, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a client's environment variables: `env`, and none of this process."""
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


def run_command(
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
            stderr = (error.stderr or b"").decode(errors="replace")
            pytest.fail(f"{script.name} ran for more than {TIMEOUT_SECONDS} seconds:\n{stderr}")
    if finished.returncode != 0:
        pytest.fail(f"{script.name} ended with {finished.returncode}:\n{finished.stderr}")
    return parse_last_line(script, finished.stdout)


def parse_last_line(script: Path, stdout: str) -> Any:
    try:
        return json.loads(stdout.splitlines()[-1])
    except (IndexError, ValueError):
        pytest.fail(f"{script.name} did not end with a line of JSON, but printed:\n{stdout}")
