"""Helpers that arm faults, make calls and read explanations."""

from typing import Any

from werkzeug.test import TestResponse

from tests.control.conftest import GALTEA, MOBILENEXT, NOTTE, SCALE, Double

START = "/notte/session/start"
# For each surface, a call that succeeds.
CALLS: dict[str, tuple[str, dict[str, str]]] = {
    "notte": ("/notte/sessions", NOTTE),
    "galtea": ("/galtea/sessions", GALTEA),
    "scale": ("/scale/v4/sessions", SCALE),
    "mobilenext": ("/mobilenext/api/v1/sessions", MOBILENEXT),
}


def arm(double: Double, surface: str = "notte", *, ns: str | None = None, **fault: Any) -> Any:
    """Arm a fault in a namespace."""
    return double.post("/faults", {"surface": surface, **fault}, status=201, ns=ns)


def refusal(double: Double, fault: dict[str, Any]) -> str:
    """Return the error message for an invalid fault."""
    return str(double.post("/faults", fault, status=400)["detail"])


def call(double: Double, surface: str, **given: Any) -> TestResponse:
    path, headers = CALLS[surface]
    return double.client.get(path, headers=headers, **given)


def start(double: Double, path: str = START, **given: Any) -> int:
    """Call Notte's start route; return the status."""
    client = double.app.test_client()
    return client.post(path, json={}, headers=NOTTE, **given).status_code


def statuses(double: Double, count: int, path: str = START) -> list[int]:
    """Call Notte's start route `count` times; return the statuses."""
    return [start(double, path) for _ in range(count)]


def by_pointer(found: Any, what: str = "violations") -> dict[str, dict[str, Any]]:
    """Return violations or ignored fields by their pointers."""
    return {each["pointer"]: each for each in found[what]}
