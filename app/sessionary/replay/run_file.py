"""A run as a file: one JSON object in each line."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessionary.control.recording import FORMAT

Step = dict[str, Any]
_STEPS = {"call", "clock", "force", "seed", "reset", "restore"}
_NOTES = {"begin", "caller", "fault"}  # each call says which fault it met


class BadRun(ValueError):
    """A file that is not a run, or one of a newer program."""


@dataclass(frozen=True)
class Run:
    """What a namespace began with, its callers by number, and its changes and calls in order."""

    begin: Step
    callers: dict[int, Step]
    steps: list[Step]

    @property
    def calls(self) -> list[Step]:
        """The vendor calls."""
        return [step for step in self.steps if step["do"] == "call"]

    def with_steps(self, steps: list[Step]) -> "Run":
        """The same run with other steps."""
        return Run(self.begin, self.callers, steps)

    def write(self, path: Path) -> None:
        """Write the file. Raises OSError."""
        lines = [self.begin, *self.callers.values(), *self.steps]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")


def read(path: Path) -> Run:
    """Read a run file. Raises BadRun, and OSError.

    The steps are in the order in which they began. The last line is left out if it is not whole, as
    after a kill.
    """
    begin, callers, steps = None, {}, []
    *whole, _ = path.read_bytes().split(b"\n")
    for number, line in enumerate(whole, 1):
        step = _parse(path, number, line)
        if step["do"] == "begin":
            begin = step
        elif step["do"] == "caller":
            callers[step["caller"]] = step
        elif step["do"] in _STEPS:
            steps.append(step)
    if begin is None:
        raise BadRun(f"{path} is not a run file: its first line does not say how the run begins")
    return Run(begin, callers, sorted(steps, key=lambda step: step["step"]))


def _parse(path: Path, number: int, line: bytes) -> Step:
    try:
        step = json.loads(line)
        do = step["do"]
    except (ValueError, TypeError, KeyError):
        raise BadRun(f"{path}, line {number}, is not a line of a run") from None
    if (number == 1) != (do == "begin") or do not in _STEPS | _NOTES:
        raise BadRun(f"{path}, line {number}: a run has no {do!r} there")
    if do == "begin" and step.get("format") != FORMAT:
        raise BadRun(f"{path} has the format {step.get('format')}, this program reads {FORMAT}")
    return dict(step)
