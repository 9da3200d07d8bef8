"""A namespace's armed faults, from outside."""

import builtins
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sessionary.client.responses import Fault, Preset
from sessionary.client.times import Instant, duration, to_text
from sessionary.client.transport import Calls


class Given(TypedDict, total=False):
    """What a fault is made of, as the control plane has it; `from_` is its `from`."""

    method: str | None
    route: str | None
    kind: str
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
    """Arms faults, shows them, and disarms them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def add(self, surface: str, preset: str | None = None, **given: Unpack[Given]) -> Fault:
        """Arm one: by a vendor's preset, or by its `kind`, which is a `status` unless given."""
        document = {"surface": surface, "preset": preset, **given}
        document["from"] = document.pop("from_", None)
        sent = {name: _sent(value) for name, value in document.items() if value is not None}
        return self.arm(sent)

    def arm(self, document: Mapping[str, Any]) -> Fault:
        """Arm one that is described as it is sent."""
        found: Fault = self._calls("POST", "faults", document)
        return found

    def list(self, surface: str | None = None, *, unmatched: bool = False) -> list[Fault]:
        """Those of one surface or of all, in the order of arming; with `unmatched` those never
        hit."""
        query = {"surface": surface, "unmatched": "true" if unmatched else None}
        found: builtins.list[Fault] = self._calls("GET", "faults", query=query)["faults"]
        return found

    def presets(self) -> builtins.list[Preset]:
        """What the vendors are known to answer when they cannot serve."""
        found: builtins.list[Preset] = self._calls("GET", "faults/presets")["presets"]
        return found

    def clear(self, fault: int | None = None) -> None:
        """Disarm the one of this id, or all."""
        self._calls("DELETE", "faults" if fault is None else f"faults/{fault}")


def _sent(value: Any) -> Any:
    if isinstance(value, timedelta):
        return duration(value)
    return to_text(value) if isinstance(value, datetime) else value
