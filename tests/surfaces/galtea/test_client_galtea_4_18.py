"""The vendor's older SDK, unmodified, in an environment of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import App
from tests.sdk_environments import sdk_script
from tests.surfaces.galtea.conftest import NAMESPACE, NOWHERE

LIFE = Path(__file__).with_name("sdk_script_galtea_4_18.py")
TEST_CASE = "testCase_t1aaaaaaaaaaaaaaaaaaaaa"
PARENTS = f"""
[[galtea.test_cases]]
id = "{TEST_CASE}"
test = "test_s1aaaaaaaaaaaaaaaaaaaaaaa"
context = {{ persona = "impatient" }}
"""


@pytest.mark.parametrize("base", ["", "/galtea"])
def test_a_session_from_creation_to_deletion_with_its_errors(
    make_app: Callable[..., App], serve: Callable[[App], str], base: str
) -> None:
    app = make_app(auth="strict")
    app.seed(NAMESPACE + PARENTS)
    heard = converse(serve(app) + base)
    made = heard["made"]
    check_creation(heard, made)
    check_changes(heard, made)
    check_lists(heard)
    check_errors(heard, made)


def converse(url: str) -> Any:
    return sdk_script.run("galtea-4.18", LIFE, "gsk_ana", env={"GALTEA_API_URL": url})


def check_creation(heard: Any, made: Any) -> None:
    assert made["context"] == "hi"
    assert made["context_data"] == {"value": "hi"}
    assert made["status"] == "PENDING"
    assert heard["got"] == heard["by custom id"] == made
    first, second, third = heard["got or created"]
    assert first == made
    assert second == third != made
    assert heard["flags"] == [True, True, True]  # it goes by the test case alone
    assert heard["driven"]["test_case_id"] == TEST_CASE
    assert heard["driven"]["context_data"] == {"persona": "impatient"}


def check_changes(heard: Any, made: Any) -> None:
    failed = {**made, "status": "FAILED", "error": "HTTP 422", "metadata": {"turn": 1}}
    assert heard["updated"] == failed
    cleared = {**made, "status": "FAILED", "context": None, "context_data": None}
    assert heard["cleared"] == heard["untouched"] == cleared
    done = {"status": "COMPLETED", "stopping_reason": "GOAL_ACHIEVED"}
    assert heard["finished"] == {**cleared, **done}
    assert heard["reopened"] == "PENDING"  # the simulator does so before its first turn
    assert heard["deleted"] is None


def check_lists(heard: Any) -> None:
    assert [id for page in heard["walked"] for id in page] == heard["ids"]
    assert [len(page) for page in heard["walked"]] == [2, 2, 1]
    assert heard["filtered"] == {
        "version": 6,
        "test case": 1,
        "test": 1,
        "custom id": 1,
        "since": 3,
        "until": 0,
        "empty": 0,
    }


def check_errors(heard: Any, made: Any) -> None:
    assert heard["no custom id"][0] == "ValueError"
    name, status, body = heard["taken"]
    assert (name, status) == ("HTTPError", 400)
    assert "already exists for version with ID: 'version_v1aaa" in body["message"]
    for step, status in {
        "forbidden": 400,
        "status": 400,
        "not found": 404,
        "gone": 404,
        "unknown key": 401,
    }.items():
        assert heard[step][:2] == ["HTTPError", status]
        assert heard[step][2].keys() == {"error", "message"}
    assert NOWHERE in heard["not found"][2]["message"]
    assert made["id"] in heard["gone"][2]["message"]
    assert "Simulation failed" in heard["simulated"][1]


def test_an_unknown_reference_of_an_empty_list_is_not_found_in_strict_mode(
    make_app: Callable[..., App], serve: Callable[[App], str]
) -> None:
    app = make_app(galtea_references="strict")
    app.seed(NAMESPACE)
    script = Path(__file__).with_name("sdk_script_galtea_4_18_strict.py")
    heard = sdk_script.run("galtea-4.18", script, env={"GALTEA_API_URL": serve(app)})
    kinds = ("Version", "Test case", "Test")
    assert heard == [f"{kind} with ID {'x' * 20} does not exist." for kind in kinds]
