"""What was answered, and whether it was kept."""

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

# How far a session has come, in an order in which it only ever goes forward.
Progress = tuple[Any, ...]
Key = tuple[str, str]  # a surface and an id

PROMISES = {
    "lost": "every answered write is there, and nothing that nobody wrote",
    "twice": "no id and no device is given twice",
    "broken": "no answer of 5xx but 503, and none missing",
    "foreign": "every answer is the vendor's JSON, of the shape that is documented",
    "backup": "every backup is made, and sound",
    "check": "the database is sound at the end",
    "restore": "the last backup is restored, and holds what was answered before it began",
    "memory": "memory stays flat",
    "stop": "the server ends when it is told to",
    "log": "the log tells of nothing but the killed workers",
}
_SHOWN = 10  # examples of each promise that was broken


class Verdict(NamedTuple):
    """How often a promise was broken, and the first examples."""

    times: int
    examples: list[str]


class Ledger:
    """What all clients were told together."""

    def __init__(self) -> None:
        self.answered: dict[Key, Progress] = {}
        self.held: dict[str, Key] = {}  # devices, by serial
        self.counts: Counter[str] = Counter()
        self.seconds = {"read": array("f"), "write": array("f")}  # of each answered request
        self._broken: dict[str, Verdict] = {name: Verdict(0, []) for name in PROMISES}

    def breach(self, promise: str, said: str) -> None:
        """A promise was broken."""
        times, examples = self._broken[promise]
        self._broken[promise] = Verdict(times + 1, [*examples, said][:_SHOWN])

    def verdicts(self) -> Mapping[str, Verdict]:
        return self._broken

    def begin(self, key: Key, progress: Progress) -> None:
        """A session was created."""
        if key in self.answered:
            self.breach("twice", f"{key} was answered to two creations")
        self.answered[key] = progress

    def advance(self, key: Key, progress: Progress) -> None:
        """A write to a session was answered."""
        if not self.answered[key] <= progress:
            self.breach("lost", f"{key}: {self.answered[key]} came before {progress}")
        self.answered[key] = progress

    def compare(
        self,
        key: Key,
        found: Progress | None,
        least: Progress,
        most: Progress,
        promise: str = "lost",
    ) -> None:
        """A session that is read is no less than what was answered, and no more."""
        if found is None or not least <= found <= most:
            self.breach(promise, f"{key}: {least} to {most} was answered, {found} is there")
