"""`GET surfaces`: what a page or a script needs to know of each vendor."""

import subprocess
from typing import Any

import pytest

from sessionary.surfaces import SURFACES
from sessionary.web.surface import MEANINGS
from tests.control.conftest import Double
from tests.processes import running_double


def test_surfaces_have_statuses_with_meanings_and_routes(double: Double) -> None:
    found = double.get("/surfaces")
    assert [each["name"] for each in found] == [each.name for each in SURFACES]
    for shown, surface in zip(found, SURFACES, strict=True):
        meanings = {each["name"]: each["meaning"] for each in shown["statuses"]}
        assert meanings == surface.sessions.statuses
        assert set(meanings.values()) <= set(MEANINGS)
        assert shown["routes"]
        for route in shown["routes"]:  # each can be given to a fault
            body = {"surface": surface.name, "kind": "empty", **route}
            assert double.post("/faults", body, status=201)["route"] == route["route"]


@pytest.mark.parametrize("headers", [{}, {"Sessionary-Namespace": "t42"}])
def test_urls_and_keys_are_those_of_the_namespace(double: Double, headers: Any) -> None:
    double.start(ns="t42")
    ns = None if headers else "t42"
    _, _, notte, _ = double.get("/surfaces", ns=ns, headers=headers)
    assert notte["environment"]["NOTTE_API_URL"] == "http://localhost/~t42/notte"
    assert notte["environment"]["NOTTE_API_KEY"] == "sk-notte-ns-t42-test"
    assert "http://localhost/~t42/notte/session/start" in notte["example"]["curl"]
    _, _, notte, _ = double.get("/surfaces")
    assert notte["environment"]["NOTTE_API_URL"] == "http://localhost/notte"


def test_the_curl_lines_and_the_lines_of_the_clients_work_as_they_are() -> None:
    with running_double() as double:
        double.request("POST", "/_control/v1/namespaces", {"name": "t42"})
        _, found = double.request("GET", "/~t42/_control/v1/surfaces")
        for surface in found:
            done = subprocess.run(
                ["sh", "-c", f"{surface['example']['curl']} --fail --silent"],
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, surface["example"]["curl"]
        _, state = double.request("GET", "/~t42/_control/v1/changes")
        assert state["sessions"] >= 3
