"""Near names, for messages about unknown ones."""

from collections.abc import Iterable
from itertools import islice

_MAX_COMPARED = 1000


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that suggests the most similar known name; empty if none is similar."""
    from difflib import get_close_matches  # only messages need it

    found = get_close_matches(name, list(islice(known, _MAX_COMPARED)), 1)
    return f": did you mean {found[0]}?" if found else ""
