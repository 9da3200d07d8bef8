"""The files for containers and systemd, checked without running either."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from release import environment
from sessionary.cli import main
from sessionary.settings import Settings, all_settings
from tests.docs.documents import block
from tests.processes import COMMAND, run_command

ROOT = environment.ROOT
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IMAGE = DOCKERFILE.split("\nFROM ")[-1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNIT = (ROOT / "release" / "sessionary.service").read_text()

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def found(pattern: str, text: str) -> str:
    """Return the group of the only match."""
    (only,) = re.findall(pattern, text, re.MULTILINE)
    return str(only)


COMMANDS = {
    "image": ["sessionary", *json.loads(found(r"^CMD (.*)$", IMAGE))],
    "healthcheck": json.loads(found(r"^HEALTHCHECK .*\\\n +CMD (.*)$", IMAGE)),
    "compose": ["sessionary", *COMPOSE["services"]["sessionary"]["command"]],
    "unit": shlex.split(found("^ExecStart=/usr/local/bin/(.*)$", UNIT)),
}


def test_on_an_older_python_the_pyz_names_the_version_it_needs() -> None:
    older = "import runpy, sys; sys.version_info = (3, 10); runpy.run_path(sys.argv[1])"
    start = str(ROOT / "release" / "pyz_start.py")
    command = [sys.executable, "-c", older, start]
    ended = run_command(*command)
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: sessionary.pyz needs Python 3.11 or newer; this is 3.")


@pytest.mark.parametrize("place", COMMANDS)
def test_each_started_command_and_its_options_exist(place: str) -> None:
    program, name, *options = COMMANDS[place]
    assert program == "sessionary"
    command = main.get_command(click.Context(main), name)
    assert command is not None
    with command.make_context(name, options) as context:
        assert not context.args


@pytest.mark.parametrize("text", [IMAGE, UNIT], ids=["image", "unit"])
def test_the_variables_it_sets_are_settings(text: str) -> None:
    names = {name.lower() for name in re.findall(r"SESSIONARY_(\w+)=", text)}
    assert names
    assert names <= {each.name for each in all_settings({})}


def test_the_image_keeps_its_data_in_its_only_volume_and_does_not_run_as_root() -> None:
    assert found("^VOLUME (.*)$", IMAGE) == "/data"
    assert found("^ENTRYPOINT (.*)$", IMAGE) == '["sessionary"]'
    assert found("^WORKDIR (.*)$", IMAGE) == "/data"
    assert not Path(Settings.db).is_absolute()
    assert "SESSIONARY_DB" not in IMAGE  # it would apply to a double too, which is in memory
    user = found("^USER (.*)$", IMAGE)
    assert f"--uid {user} --home-dir /data --create-home" in IMAGE
    assert int(user) > 0


def test_the_image_is_built_from_the_same_sources_as_the_packages() -> None:
    copied = found(r"^COPY (LICENSE .*) \./$", DOCKERFILE)
    assert copied.split() == [*environment.SOURCES]
    admitted = (ROOT / ".dockerignore").read_text().split("\n")
    assert {f"!{name}" for name in (*environment.SOURCES, "app/sessionary")} <= set(admitted)


def test_hadolint_accepts_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ended = run_command(hadolint, "--no-color", ROOT / "Dockerfile")
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_composed_service_waits_until_sessionary_is_healthy() -> None:
    services = COMPOSE["services"]
    assert services["service"]["depends_on"]["sessionary"]["condition"] == "service_healthy"
    assert services["service"]["command"][-1].startswith("http://sessionary:8000/")
    assert services["sessionary"]["command"][-1] == "8000"


def test_the_documented_commands_match_the_files() -> None:
    install, _, keys = block("sh systemd").splitlines()
    assert (ROOT / install.split()[3]).read_text() == UNIT
    program, *names, flag, db = shlex.split(keys)
    assert ([program, *names], flag) == (["sessionary", "keys", "create"], "--db")
    assert db == found("^Environment=SESSIONARY_DB=(.*)$", UNIT).replace("%S", "/var/lib")
    run, compose = block("sh docker").splitlines()
    assert f"--volume sessionary:{found('^VOLUME (.*)$', IMAGE)} " in run
    assert f":{found('^EXPOSE (.*)$', IMAGE)} " in run
    assert compose in (ROOT / "compose.yaml").read_text()


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with the path of this installation."""
    path = tmp_path / "sessionary.service"
    path.write_text(UNIT.replace("/usr/local/bin/sessionary", COMMAND))
    return path


def systemd_analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *arguments]
    return run_command(*command)


@needs_systemd
def test_systemd_accepts_every_line_of_the_unit(unit: Path) -> None:
    ended = systemd_analyze("verify", unit)
    assert (ended.returncode, ended.stderr) == (0, "")


@needs_systemd
def test_systemd_rates_the_unit_as_well_confined(unit: Path) -> None:
    """At most 2.0 points of exposure out of 10; an unconfined service has 9.6."""
    ended = systemd_analyze("security", "--offline=yes", "--threshold=20", unit)
    assert ended.returncode == 0, ended.stdout
