"""The locks in `requirements/` pin what setup.cfg asks for, on every Python that it names."""

import re
import tomllib
from configparser import ConfigParser

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.docs.documents import ROOT, block

CONFIG = ConfigParser()
CONFIG.read(ROOT / "setup.cfg")
PYTHONS = re.findall(r"Python :: (3\.\d+)", CONFIG["metadata"]["classifiers"])
LOCKS = {
    "test.txt": ["test"],
    "test-oldest.txt": ["test"],
    "bench.txt": ["bench"],
    "one-file.txt": ["metrics", "one-file", "orjson"],
    "pyz.txt": ["metrics"],
}
PIN = re.compile(r"^([a-z].*) \\\n    --hash=sha256:", re.MULTILINE)


def _requirements(*extras: str) -> list[Requirement]:
    """Return what the project and these extras of it ask for."""
    texts = [CONFIG["options"]["install_requires"]]
    texts += [CONFIG["options.extras_require"][extra] for extra in extras]
    return [Requirement(line) for text in texts for line in text.split("\n") if line]


def _read(lock: str) -> str:
    return (ROOT / "requirements" / lock).read_text()


def _pins(lock: str, python: str) -> dict[str, list[Version]]:
    """Return the versions that a lock pins on this Python, by package."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    pins: dict[str, list[Version]] = {}
    for line in PIN.findall(_read(lock)):
        pin = Requirement(line)
        (version,) = pin.specifier
        assert version.operator == "=="
        if pin.marker is None or pin.marker.evaluate(environment):
            pins.setdefault(canonicalize_name(pin.name), []).append(Version(version.version))
    return pins


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_each_requirement_once_and_within_its_range(lock: str, python: str) -> None:
    pins = _pins(lock, python)
    for requirement in _requirements(*LOCKS[lock]):
        (version,) = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), requirement
    assert all(len(versions) == 1 for versions in pins.values())


@pytest.mark.parametrize("lock", [*LOCKS, "build.txt"])
def test_each_line_of_a_lock_has_hashes_and_none_names_an_index(lock: str) -> None:
    text = _read(lock)
    assert len(PIN.findall(text)) == len(re.findall("^[^ #]", text, re.MULTILINE))
    assert "://" not in text


def test_the_oldest_lock_pins_each_lower_bound() -> None:
    pins = _pins("test-oldest.txt", PYTHONS[0])
    for requirement in _requirements("test"):
        (bound,) = [each.version for each in requirement.specifier if each.operator == ">="]
        (version,) = pins[canonicalize_name(requirement.name)]
        assert f"{version}.".startswith(f"{bound}."), requirement


def test_the_project_is_built_with_what_pyproject_asks_for() -> None:
    build_system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    lines = (ROOT / "requirements" / "build.in").read_text().splitlines()
    assert build_system["requires"] == [line for line in lines if not line.startswith("#")]
    for lock in ("build.txt", "test.txt", "test-oldest.txt", "one-file.txt"):
        (version,) = _pins(lock, PYTHONS[0])["setuptools"]
        assert Requirement(*build_system["requires"]).specifier.contains(version)


def test_the_command_for_the_oldest_versions_is_that_of_the_readme_with_another_lock() -> None:
    command = block("sh test", "README.md").replace(".venv", ".venv-oldest")
    command = command.replace("test.txt", "test-oldest.txt")
    assert block("sh oldest", "CONTRIBUTING.md") == command
