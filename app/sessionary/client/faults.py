"""The faults of a namespace."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from sessionary.client.responses import Fault, Preset
from sessionary.client.times import Instant, duration_to_json, to_text
from sessionary.client.transport import ControlApi

__tracebackhide__ = True  # pytest leaves the frames of this module out


class Options(TypedDict, total=False):
    """The members of a fault request; `from_` is sent as `from`."""

    method: str | None
    route: str | None
    kind: str
    phase: str
    status: int
    message: str
    retry_after: timedelta | str
    delay: timedelta | str
    times: int | None
    after: int
    probability: float
    seed: int
    from_: Instant | None
    to: Instant | None


class Faults:
    """Arms, lists and disarms faults."""

    def __init__(self, api: ControlApi) -> None:
        self._api = api

    def add(self, surface: str, preset: str | None = None, **options: Unpack[Options]) -> Fault:
        """Arm a fault: a preset of the vendor, or a `kind` (default: `status`)."""
        document = {"surface": surface, "preset": preset, **options}
        return self._api.request(Fault, "POST", "faults", fault_to_json(document))

    def presets(self) -> list[Preset]:
        """List the known failures of every vendor."""
        return self._api.request(dict[str, list[Preset]], "GET", "faults/presets")["presets"]

    def list(self, surface: str | None = None, *, unmatched: bool = False) -> list[Fault]:
        """List faults in the order of arming; with `unmatched` only those with no hit."""
        query = {"surface": surface, "unmatched": "true" if unmatched else None}
        return self._api.request(dict[str, list[Fault]], "GET", "faults", query=query)["faults"]

    def clear(self, fault: int | None = None) -> None:
        """Disarm the fault with this id, or all faults."""
        self._api.send("DELETE", "faults" if fault is None else f"faults/{fault}")


def fault_to_json(fault: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON of a fault, given as arguments of `Faults.add`."""
    if not isinstance(fault, Mapping):
        raise TypeError(f"a fault must be a mapping of arguments of faults.add, not {fault!r}")
    document = {("from" if name == "from_" else name): value for name, value in fault.items()}
    return {name: _to_json(name, value) for name, value in document.items() if value is not None}


def _to_json(name: str, value: Any) -> Any:
    if name in ("delay", "retry_after"):
        return duration_to_json(value)
    return to_text(value) if name in ("from", "to") else value
