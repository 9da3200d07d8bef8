"""Many parallel tests with the vendors' SDKs, each with its own namespace and clock."""

import shutil
from pathlib import Path

import pytest

from tests.testing.conftest import INI

HERE = Path(__file__)


@pytest.mark.parametrize(
    ("workers", "turns"), [(2, 10), pytest.param(8, 800, marks=pytest.mark.long)], ids=str
)
def test_parallel_tests_do_not_share_namespaces_or_clocks(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: int, turns: int
) -> None:
    pytester.makeini(INI.replace("filterwarnings = error", ""))  # the vendors' clients warn
    shutil.copy(HERE.with_name("demonstration.py"), pytester.path / "test_demonstration.py")
    monkeypatch.setenv("PYTHONPATH", str(HERE.parents[2]))
    monkeypatch.setenv("DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("TURNS", str(turns))
    result = pytester.runpytest_subprocess(f"-n{workers}", "--sessionary-leaks=off")
    result.assert_outcomes(passed=turns)
