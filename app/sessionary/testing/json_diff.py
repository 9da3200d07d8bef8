"""Differences between an expected and an actual JSON value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def json_diff(expected: Any, actual: Any, pointer: str = "") -> Iterator[str]:
    """Yield a sentence for each place where `actual` lacks something of `expected`.

    Objects may have more members than expected; lists must have the same length.
    """
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            if name in actual:
                yield from json_diff(value, actual[name], f"{pointer}/{name}")
            else:
                yield f"{pointer}/{name} is missing, expected {value!r}"
    elif _is_list(expected) and _is_list(actual) and len(expected) == len(actual):
        for index, (wanted, found) in enumerate(zip(expected, actual, strict=True)):
            yield from json_diff(wanted, found, f"{pointer}/{index}")
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield f"{pointer or 'the body'} is {actual!r}, expected {expected!r}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
