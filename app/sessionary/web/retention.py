"""What a surface says about its sessions that ended long ago."""

from collections.abc import Callable
from dataclasses import dataclass

from sessionary.store import Statement


@dataclass(frozen=True)
class Retention:
    """How they are found and removed, with all that belongs to them alone.

    `ended` gives the keys of the sessions that ended before `before_at`, by a call or by
    themselves, in order: at most `limit` after the key `after`, up to the key `until`.
    `last` gives the last key of all sessions, or None. `remove` takes keys that were found, inside
    a transaction, removes those sessions that have still ended, and gives their number.
    """

    ended: Statement[int]
    last: Statement[int]
    remove: Callable[[list[int], int], int]
