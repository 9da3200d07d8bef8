"""Reduces a failing run to the fewest steps that still fail, by delta debugging."""

from collections.abc import Callable
from functools import partial

from sessionary.client import Client
from sessionary.replay.player import NotPlayed, play, running_double
from sessionary.replay.run_file import Run

# Whether a run that was done again still fails, given a client of its namespace.
Fails = Callable[[Client, Run], bool]


class NotFailing(Exception):
    """A run that does not fail as a whole."""


def shrink(run: Run, fails: Fails) -> Run:
    """Return a run with the fewest steps that still fail; no single one can be left out.

    Each candidate is done again in a new namespace, so that its answers are those of its own steps.
    Ids stay the same without the steps that were left out. Raises NotFailing, and what `play`
    raises.
    """
    with running_double(run) as client:
        candidates = _Candidates(run, client, fails)
        if not candidates.fails(tuple(range(len(run.steps)))):
            raise NotFailing("the whole run does not fail, done again")
        kept = _minimize(tuple(range(len(run.steps))), candidates.fails)
        candidates.fails(kept)
        return candidates.played[kept]


class _Candidates:
    """Selections of a run's steps by their indexes, each done again once."""

    def __init__(self, run: Run, client: Client, fails: Fails) -> None:
        self._run = run
        self._client = client
        self._fails = fails
        self._results: dict[tuple[int, ...], bool] = {}
        self.played: dict[tuple[int, ...], Run] = {}

    def fails(self, indexes: tuple[int, ...]) -> bool:
        if indexes not in self._results:
            candidate = self._run.with_steps([self._run.steps[index] for index in indexes])
            try:
                play(candidate, self._client, partial(self._keep, indexes))
            except NotPlayed:  # such as a forced status of a session that is not there
                if len(indexes) == len(self._run.steps):
                    raise
                self._results[indexes] = False
        return self._results[indexes]

    def _keep(self, indexes: tuple[int, ...], client: Client, played: Run) -> None:
        self._results[indexes] = result = self._fails(client, played)
        if result:
            self.played = {indexes: played}


def _minimize(kept: tuple[int, ...], fails: Callable[[tuple[int, ...]], bool]) -> tuple[int, ...]:
    """Leave out ever smaller parts, as long as the rest fails (Zeller's ddmin)."""
    part_count = 2
    while kept:
        size = -(-len(kept) // part_count)
        starts = range(0, len(kept), size)
        for start in starts:
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept, part_count = rest, max(part_count - 1, 2)
                break
        else:
            if size == 1:
                return kept
            part_count = min(part_count * 2, len(kept))
    return kept
