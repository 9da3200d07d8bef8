"""What the server confirmed to the clients, and the promises that it broke."""

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

# How far a session has come; it compares greater with every write.
Progress = tuple[Any, ...]
Key = tuple[str, str]  # a surface and an id

PROMISES = {
    "lost": "every confirmed write is there, and no other",
    "duplicate": "no id and no device is given to two sessions",
    "error": "every request is answered, and with 503 as the only 5xx",
    "health": "99.9 % of the health checks are answered in time, whatever the others do",
    "timeout": "no worker is killed by its timeout",
    "seed": "a seed is applied as a whole, or refused in one sentence",
    "malformed": "every response is JSON that matches the vendor's schema",
    "backup": "every backup succeeds and passes its check",
    "check": "the database passes its check at the end",
    "restore": "the last backup can be restored, and holds every write confirmed before it",
    "memory": "memory does not grow",
    "stop": "the server stops on SIGTERM",
    "log": "the log has no problem but the killed workers and the foreign lock",
}
_MAX_EXAMPLES = 10  # of each broken promise


class Violations(NamedTuple):
    """How often a promise was broken, and the first examples."""

    times: int
    examples: list[str]


class ExpectedState:
    """What the server confirmed to all clients together."""

    def __init__(self) -> None:
        self.answered: dict[Key, Progress] = {}
        self.device_holders: dict[str, Key] = {}  # devices, by serial
        self.seeds: set[int] = set()  # the numbers of those that were applied
        self.counts: Counter[str] = Counter()
        self.seconds = {"read": array("f"), "write": array("f")}  # of each answered request
        self._broken: dict[str, Violations] = {name: Violations(0, []) for name in PROMISES}

    def report(self, promise: str, example: str) -> None:
        """Count a broken promise."""
        times, examples = self._broken[promise]
        self._broken[promise] = Violations(times + 1, [*examples, example][:_MAX_EXAMPLES])

    def violations(self) -> Mapping[str, Violations]:
        return self._broken

    def begin(self, key: Key, progress: Progress) -> None:
        """Record a created session."""
        if key in self.answered:
            self.report("duplicate", f"{key} is the id of two sessions")
        self.answered[key] = progress

    def advance(self, key: Key, progress: Progress) -> None:
        """Record a confirmed write to a session."""
        if not self.answered[key] <= progress:
            self.report("lost", f"{key}: {self.answered[key]} came before {progress}")
        self.answered[key] = progress

    def compare(
        self,
        key: Key,
        found: Progress | None,
        least: Progress,
        most: Progress,
        promise: str = "lost",
    ) -> None:
        """Report a session that was read unless it is between what was confirmed."""
        if found is None or not least <= found <= most:
            self.report(promise, f"{key}: confirmed {least} to {most}, found {found}")
