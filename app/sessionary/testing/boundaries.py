"""A test run on both sides of every instant at which time changes a session."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sessionary.client.responses import Transition
from sessionary.client.times import from_text
from sessionary.testing.namespace import Namespace

_OFFSETS = {-1: "1 µs before", 0: "at", 1: "1 µs after"}


@dataclass(frozen=True)
class Boundary:
    """Where a test runs: `offset` microseconds from a transition of a session, at `at`."""

    session: str
    transition: Transition
    offset: int
    at: datetime

    @property
    def status(self) -> str:
        """What the session, or the part that the transition is of, is on this side of the
        transition."""
        return self.transition["from_status"] if self.offset < 0 else self.transition["to_status"]

    def __str__(self) -> str:
        which = self.transition
        change = f"{which['from_status']} -> {which['to_status']} ({which['rule']})"
        return f"{_OFFSETS[self.offset]} {which['at']}, where {self.session} is {change}"


def sessionary_boundaries(session: str | Callable[[Namespace], str]) -> Callable[[Any], Any]:
    """Run a test 1 µs before, at and 1 µs after each coming transition of a session, on a frozen
    clock.

    The session is an id, or what a callable gives that opens one in the test's namespace. Each run
    begins with the namespace as it was then. A test that takes `boundary` is given the Boundary.
    """

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        names = inspect.signature(test).parameters

        def runs(given: dict[str, Any]) -> Iterator[tuple[Boundary, dict[str, Any]]]:
            for boundary in _boundaries(given["sessionary"], session):
                all_given = given | {"boundary": boundary}
                yield boundary, {name: each for name, each in all_given.items() if name in names}

        @functools.wraps(test)
        def run(*args: Any, **given: Any) -> None:
            for boundary, each in runs(given):
                with _noted(boundary):
                    test(*args, **each)

        @functools.wraps(test)
        async def run_async(*args: Any, **given: Any) -> None:
            for boundary, each in runs(given):
                with _noted(boundary):
                    await test(*args, **each)

        decorated: Any = run_async if inspect.iscoroutinefunction(test) else run
        decorated.__signature__ = _asking_for_a_namespace(inspect.signature(test))
        return decorated  # type: ignore[no-any-return]

    return decorate


def _asking_for_a_namespace(signature: inspect.Signature) -> inspect.Signature:
    """What pytest has to give: the fixture `sessionary` as well, and not `boundary`."""
    asked = {name: each for name, each in signature.parameters.items() if name != "boundary"}
    namespace = inspect.Parameter("sessionary", inspect.Parameter.KEYWORD_ONLY)
    asked.setdefault("sessionary", namespace)
    return signature.replace(parameters=list(asked.values()))


def _boundaries(
    namespace: Namespace, session: str | Callable[[Namespace], str]
) -> Iterator[Boundary]:
    id = session if isinstance(session, str) else session(namespace)
    transitions = namespace.explain(id)["next_transitions"]
    if not transitions:
        raise AssertionError(f"time alone never changes the session {id}")
    contents = namespace.namespaces.snapshot()
    for transition in transitions:
        for offset in _OFFSETS:
            at = from_text(transition["at"]) + timedelta(microseconds=offset)
            namespace.namespaces.restore(contents)
            namespace.clock.freeze(at)
            yield Boundary(id, transition, offset, at)


@contextmanager
def _noted(boundary: Boundary) -> Iterator[None]:
    """Let a failure say on which side of which transition it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(str(boundary))
        raise
