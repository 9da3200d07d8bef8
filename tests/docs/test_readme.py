"""The README: its length, its two commands, its examples."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from sessionary.surfaces import SURFACES
from tests.docs.documents import ROOT, block, check_out, run, run_script
from tests.processes import TIMEOUT_SECONDS

README = (ROOT / "README.md").read_text()
SERVE = block("sh serve", "README.md").strip()
TEST = block("sh test", "README.md").strip()


def test_it_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_each_of_its_links_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_demonstration_prints_what_the_readme_shows() -> None:
    shown = block("text demo", "README.md")
    script = block("python demo", "README.md")
    assert run("python", "-c", script).stdout == shown
    assert len(script.splitlines()) <= 15


def test_it_names_every_vendor_and_that_it_is_not_affiliated() -> None:
    assert "not affiliated" in README
    for surface in SURFACES:
        assert surface.title.split(" API")[0].split()[0] in README


def test_continuous_integration_runs_the_test_command() -> None:
    steps = (ROOT / ".ci" / "run").read_text()
    for step in TEST.split(" && "):
        assert step in steps


@pytest.mark.long
def test_the_first_command_ends_with_a_server_and_a_curl_line_that_works(tmp_path: Path) -> None:
    """Needs a package index. The port is not the default one, which may be taken."""
    checkout = check_out(tmp_path / "checkout")
    with subprocess.Popen(
        ["sh", "-ec", SERVE.replace(" .venv/bin/sessionary", " exec .venv/bin/sessionary")],
        cwd=checkout,
        env=os.environ | {"SESSIONARY_PORT": "0"},
        stdout=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            assert popen.stdout is not None
            line = next(line for line in popen.stdout if line.strip().startswith("curl "))
            run_script(f"{line.strip()} --silent --fail-with-body")
            assert (checkout / "instance" / "sessionary.sqlite3").exists()
        finally:
            popen.terminate()
        assert popen.wait(TIMEOUT_SECONDS) == 0


@pytest.mark.long
def test_it_installs_into_a_project_of_its_own_from_a_checkout_and_from_a_wheel(
    tmp_path: Path,
) -> None:
    """Needs a package index. The wheel is installed alone, and serves without the checkout."""
    checkout = check_out(tmp_path / "checkout")
    install, build = block("sh install").replace("/path/to/sessionary", str(checkout)).splitlines()
    for name, lines in (
        ("from-checkout", [install]),
        ("from-wheel", [build, "pip install dist/*.whl"]),
    ):
        project = tmp_path / name
        run("python", "-m", "venv", str(project / ".venv"), cwd=tmp_path)
        path = f"{project}/.venv/bin:{os.environ['PATH']}"
        for line in lines:
            run("sh", "-ec", line, cwd=project, timeout=20 * TIMEOUT_SECONDS, PATH=path)
        script = 'curl -fsS --json {} -H "Authorization: Bearer a" "$NOTTE_API_URL/session/start"'
        done = run("sessionary", "exec", "--", "sh", "-c", script, cwd=project, PATH=path)
        assert "session_id" in done.stdout
