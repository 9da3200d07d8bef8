"""The vendor's older SDK, unmodified, in its own environment."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeApp, Serve
from tests.sdk_environments import sdk_script
from tests.surfaces.galtea.conftest import NOWHERE, SEED

LIFE = Path(__file__).with_name("sdk_script_galtea_4_18.py")
TEST_CASE = "testCase_t1aaaaaaaaaaaaaaaaaaaaa"
REFERENCES = f"""
[[galtea.test_cases]]
id = "{TEST_CASE}"
test = "test_s1aaaaaaaaaaaaaaaaaaaaaaa"
context = {{ persona = "impatient" }}
"""


@pytest.mark.parametrize("base", ["", "/galtea"])
def test_a_session_from_creation_to_deletion_with_its_errors(
    make_app: MakeApp, serve: Serve, base: str
) -> None:
    app = make_app(auth="strict")
    app.seed(SEED)
    app.seed(REFERENCES)
    results = converse(serve(app) + base)
    made = results["made"]
    check_creation(results, made)
    check_changes(results, made)
    check_lists(results)
    check_errors(results, made)


def converse(url: str) -> Any:
    return sdk_script.run("galtea-4.18.0", LIFE, "gsk_ana", env={"GALTEA_API_URL": url})


def check_creation(results: Any, made: Any) -> None:
    assert made["context"] == "hi"
    assert made["context_data"] == {"value": "hi"}
    assert made["status"] == "PENDING"
    assert results["got"] == results["by custom id"] == made
    first, second, third = results["got or created"]
    assert first == made
    assert second == third != made
    assert results["flags"] == [True, True, True]  # it goes by the test case alone
    assert results["driven"]["test_case_id"] == TEST_CASE
    assert results["driven"]["context_data"] == {"persona": "impatient"}


def check_changes(results: Any, made: Any) -> None:
    failed = {**made, "status": "FAILED", "error": "HTTP 422", "metadata": {"turn": 1}}
    assert results["updated"] == failed
    cleared = {**made, "status": "FAILED", "context": None, "context_data": None}
    assert results["cleared"] == results["untouched"] == cleared
    done = {"status": "COMPLETED", "stopping_reason": "GOAL_ACHIEVED"}
    assert results["finished"] == {**cleared, **done}
    assert results["reopened"] == "PENDING"  # the simulator does so before its first turn
    assert results["deleted"] is None


def check_lists(results: Any) -> None:
    assert [id for page in results["walked"] for id in page] == results["ids"]
    assert [len(page) for page in results["walked"]] == [2, 2, 1]
    assert results["filtered"] == {
        "version": 6,
        "test case": 1,
        "test": 1,
        "custom id": 1,
        "since": 3,
        "until": 0,
        "empty": 0,
    }


def check_errors(results: Any, made: Any) -> None:
    assert results["no custom id"][0] == "ValueError"
    name, status, body = results["taken"]
    assert (name, status) == ("HTTPError", 400)
    assert "already exists for version with ID: 'version_v1aaa" in body["message"]
    for step, status in {
        "forbidden": 400,
        "status": 400,
        "not found": 404,
        "gone": 404,
        "unknown key": 401,
    }.items():
        assert results[step][:2] == ["HTTPError", status]
        assert results[step][2].keys() == {"error", "message"}
    assert NOWHERE in results["not found"][2]["message"]
    assert made["id"] in results["gone"][2]["message"]
    assert "Simulation failed" in results["simulated"][1]


def test_an_unknown_reference_of_an_empty_list_is_not_found_in_strict_mode(
    make_app: MakeApp, serve: Serve
) -> None:
    app = make_app(galtea_references="strict")
    app.seed(SEED)
    script = Path(__file__).with_name("sdk_script_galtea_4_18_strict.py")
    results = sdk_script.run("galtea-4.18.0", script, env={"GALTEA_API_URL": serve(app)})
    kinds = ("Version", "Test case", "Test")
    assert results == [f"{kind} with ID {'x' * 20} does not exist." for kind in kinds]
