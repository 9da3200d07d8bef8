"""Rules that are matched only: none of our answers holds an address that a rule would write."""

from collections.abc import Callable
from typing import Any, NoReturn

from werkzeug.routing import Rule


class MatchOnlyRule(Rule):
    """A rule without the function that writes its address, whose compilation takes most of one."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002
        return _unwritten


def _unwritten(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError("no address is written from a rule")
