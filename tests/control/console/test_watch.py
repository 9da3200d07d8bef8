"""A test of the console fails when its page misbehaves."""

import shutil
from pathlib import Path

import pytest

from tests.control.console.conftest import Console
from tests.docs.documents import ROOT

FAILING = """
def test_fails(console):
    assert console.client.sessions()
"""
WITH_A_LOOP = """
import asyncio

def test_a_loop():
    asyncio.run(asyncio.sleep(0))
"""
FRAMES = 600  # about ten seconds
POLICY = 'document.head.innerHTML = `<meta http-equiv=Content-Security-Policy content="%s">`'


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("console.error('broken')", "broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
        ("setTimeout(() => Promise.reject(new Error('rejected')))", "rejected"),
        ("fetch('http://192.0.2.1/there').catch(() => {})", "request to http://192.0.2.1/there"),
        (
            f"{POLICY % 'img-src data:'}; document.body.append(new Image()); "
            "document.images[0].src = 'http://127.0.0.1/'",
            "CSP: img-src",
        ),
    ],
)
def test_a_misbehaving_page_is_seen(console: Console, script: str, problem: str) -> None:
    console.page.evaluate(script)
    problems: list[str] = []
    for _ in range(FRAMES):
        problems += console.watch.take()
        if any(problem in each for each in problems):
            return
        console.page.evaluate("new Promise(requestAnimationFrame)")
    pytest.fail(f"seen: {problems}")


@pytest.mark.usefixtures("browser")
def test_a_failing_test_keeps_a_screenshot_and_later_tests_run_event_loops(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SCREENSHOTS", str(pytester.path))
    package = pytester.mkpydir("pages")
    shutil.copy(Path(__file__).with_name("conftest.py"), package)
    (package / "test_page.py").write_text(FAILING)
    (package.parent / "test_loops.py").write_text(WITH_A_LOOP)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "pages", "test_loops.py")
    result.assert_outcomes(failed=1, passed=1)
    (path,) = (line for line in result.outlines if line.endswith("failed-test_fails.png"))
    assert Path(path).read_bytes().startswith(b"\x89PNG")
