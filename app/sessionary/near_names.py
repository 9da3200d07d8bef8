"""Near names, for messages about unknown ones, and the shortest beginnings that are unique."""

import re
from collections.abc import Iterable
from itertools import islice

_MAX_COMPARED = 1000
_SHOWN_LENGTH = 8  # of a beginning that is shown, after a prefix such as key_
MIN_LENGTH = 4  # of a beginning that is given, after a prefix such as key_
TOO_SHORT = (
    f"the beginning of an id needs at least {MIN_LENGTH} characters, not counting a prefix "
    "such as key_"
)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that suggests the most similar known name; empty if none is similar."""
    from difflib import get_close_matches  # only messages need it

    found = get_close_matches(name, list(islice(known, _MAX_COMPARED)), 1)
    return f": did you mean {found[0]}?" if found else ""


def unique_beginnings(ids: Iterable[str]) -> dict[str, str]:
    """Return the shortest beginning of each id that no other has."""
    known = sorted(set(ids))
    short = {}
    for before, id, after in zip(["", *known], known, [*known[1:], ""], strict=False):
        shared = max(_shared_length(id, before), _shared_length(id, after))
        short[id] = id[: max(shared + 1, _prefix_length(id) + _SHOWN_LENGTH)]
    return short


def is_long_enough(beginning: str, id: str) -> bool:
    """Return whether the beginning of an id says more of it than its prefix."""
    return len(beginning) >= _prefix_length(id) + MIN_LENGTH


def _prefix_length(id: str) -> int:
    found = re.match("[a-z]*_", id)
    return found.end() if found else 0


def _shared_length(one: str, other: str) -> int:
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))
