"""Faults armed by tests, calls that meet them, and what is told of calls."""

from typing import Any

from werkzeug.test import TestResponse

from tests.control.conftest import GALTEA, MOBILENEXT, NOTTE, SCALE, Double

START = "/notte/session/start"
# A call of each surface, that succeeds.
CALLS: dict[str, tuple[str, dict[str, str]]] = {
    "notte": ("/notte/sessions", NOTTE),
    "galtea": ("/galtea/sessions", GALTEA),
    "scale": ("/scale/v4/sessions", SCALE),
    "mobilenext": ("/mobilenext/api/v1/sessions", MOBILENEXT),
}


def arm(double: Double, surface: str = "notte", *, ns: str | None = None, **fault: Any) -> Any:
    """A fault, armed in a namespace."""
    return double.post("/faults", {"surface": surface, **fault}, status=201, ns=ns)


def refusal(double: Double, fault: dict[str, Any]) -> str:
    """What is said of a fault that cannot be armed."""
    return str(double.post("/faults", fault, status=400)["detail"])


def call(double: Double, surface: str, **given: Any) -> TestResponse:
    path, headers = CALLS[surface]
    return double.client.get(path, headers=headers, **given)


def start(double: Double, path: str = START, **given: Any) -> int:
    """The status of a call that starts a Notte session."""
    client = double.app.test_client()
    return client.post(path, json={}, headers=NOTTE, **given).status_code


def statuses(double: Double, count: int, path: str = START) -> list[int]:
    """Of so many calls that start a Notte session."""
    return [start(double, path) for _ in range(count)]


def told(found: Any, what: str = "violations") -> dict[str, dict[str, Any]]:
    """What is told, by its place."""
    return {each["pointer"]: each for each in found[what]}
