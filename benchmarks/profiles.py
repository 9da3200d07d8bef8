"""How much is measured: a full run, a quick one, and a tiny one that only checks the code."""

from typing import NamedTuple


class Profile(NamedTuple):
    """Sizes of a run; medians are taken over rounds."""

    name: str
    rounds: int  # in process: milliseconds each
    batch: int  # calls per candidate and round
    sizes: tuple[int, ...]  # rows, for growth
    turns: int  # over loopback: a second each
    connections: tuple[int, ...]
    every_rival: bool
    writing_seconds: float
    starts: int
    requests: int  # before memory is measured again
    open_sessions: tuple[int, ...]  # of each surface, for transitions
    writes: tuple[int, ...]  # since a past instant
    stall_seconds: float  # of each disturbance, and of the quiet time before it


FULL = Profile(
    name="full",
    rounds=15,
    batch=60,
    sizes=(1_000, 100_000, 1_000_000),
    turns=5,
    connections=(1, 8, 64),
    every_rival=True,
    writing_seconds=10,
    starts=5,
    requests=100_000,
    open_sessions=(100, 10_000, 100_000),
    writes=(100, 10_000, 100_000),
    stall_seconds=4,
)
QUICK = Profile(
    name="quick",
    rounds=5,
    batch=20,
    sizes=(1_000, 20_000),
    turns=5,
    connections=(8,),
    every_rival=False,
    writing_seconds=2,
    starts=3,
    requests=5_000,
    open_sessions=(1_000, 20_000),
    writes=(100, 10_000),
    stall_seconds=2,
)
TINY = Profile(
    name="tiny",
    rounds=1,
    batch=2,
    sizes=(200, 400),
    turns=1,
    connections=(8,),
    every_rival=False,
    writing_seconds=0.2,
    starts=1,
    requests=1_200,
    open_sessions=(100,),
    writes=(10,),
    stall_seconds=0.5,
)
PROFILES = {each.name: each for each in (FULL, QUICK, TINY)}
