"""How what was sent differs from what was expected."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def json_diff(expected: Any, found: Any, pointer: str = "") -> Iterator[str]:
    """Where `found` lacks something of `expected`, one sentence for each place.

    Objects may have more members; lists must have as many items, each as expected.
    """
    where = pointer or "the body"
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            if name in found:
                yield from json_diff(value, found[name], f"{pointer}/{name}")
            else:
                yield f"{pointer}/{name} is missing, expected {value!r}"
    elif _is_list(expected) and _is_list(found) and len(expected) == len(found):
        for place, (wanted, had) in enumerate(zip(expected, found, strict=True)):
            yield from json_diff(wanted, had, f"{pointer}/{place}")
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield f"{where} is {found!r}, expected {expected!r}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
