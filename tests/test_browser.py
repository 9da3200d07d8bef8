"""The browser of the console's tests is found, installed, or missed loudly."""

from pathlib import Path

import pytest

from tests import browser


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder that is all of PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _make(path: Path, script: str = "") -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


@pytest.mark.parametrize("name", browser.NAMES)
def test_a_browser_on_path_is_found(programs: Path, name: str) -> None:
    _make(programs / name)
    assert browser.find() == str(programs / name)
    assert browser.main() == 0


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_missing_browser_is_a_failure_in_ci_only(
    monkeypatch: pytest.MonkeyPatch, ci: str, code: int
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(browser, "can_install", lambda: False)
    assert browser.main() == code


def test_the_browser_is_installed_where_it_can_be(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser, "can_install", lambda: True)
    assert browser.main() == 1  # no apt-get on this PATH
    assert "chromium could not be installed" in capsys.readouterr().err

    installed = programs / "chromium"
    script = f'for last; do :; done; [ "$last" = update ] || : > {installed}'
    _make(programs / "apt-get", f"{script}; /bin/chmod 700 {installed} 2>/dev/null || :")
    assert browser.main() == 0
    assert browser.find() == str(installed)
