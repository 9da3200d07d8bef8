"""How much is measured: a full run, a quick one, and one that only sees that everything works."""

from typing import NamedTuple


class Effort(NamedTuple):
    """Rounds are what a median is taken of."""

    name: str
    rounds: int  # in process, where one takes milliseconds
    batch: int  # calls of one candidate in a round
    sizes: tuple[int, ...]  # rows, for growth
    turns: int  # over loopback, where one takes a second
    connections: tuple[int, ...]
    every_rival: bool
    writing_seconds: float
    starts: int
    requests: int  # after which memory is looked at again


FULL = Effort(
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
)
QUICK = Effort(
    name="quick",
    rounds=5,
    batch=20,
    sizes=(1_000, 20_000),
    turns=3,
    connections=(8,),
    every_rival=False,
    writing_seconds=2,
    starts=3,
    requests=5_000,
)
TINY = Effort(
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
)
EFFORTS = {each.name: each for each in (FULL, QUICK, TINY)}
