"""Run a test on both sides of every transition of a session."""

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

_Session = str | Callable[[Namespace], str]
_OFFSETS = {-1: "1 µs before", 0: "at", 1: "1 µs after"}


@dataclass(frozen=True)
class Boundary:
    """The instant of one run: `offset` microseconds from a transition of a session."""

    session: str
    transition: Transition
    offset: int
    at: datetime

    @property
    def status(self) -> str:
        """The status of the session, or of its part that changes, at this instant."""
        return self.transition["from_status"] if self.offset < 0 else self.transition["to_status"]

    def __str__(self) -> str:
        transition = self.transition
        change = f"{transition['from_status']} -> {transition['to_status']}"
        instant = f"{_OFFSETS[self.offset]} {transition['at']}"
        return f"{instant}, the transition {change} ({transition['rule']}) of {self.session}"


def sessionary_boundaries(session: _Session) -> Callable[[Any], Any]:
    """Run a test 1 µs before, at and 1 µs after each coming transition of a session.

    `session` is an id, or a function that opens a session in a namespace and returns its id. Each
    run starts with the namespace as it was then and a frozen clock. A test with a parameter
    `boundary` receives the Boundary.
    """

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        names = inspect.signature(test).parameters

        def runs(fixtures: dict[str, Any]) -> Iterator[tuple[Boundary, dict[str, Any]]]:
            for boundary in _boundaries(fixtures["sessionary"], session):
                arguments = fixtures | {"boundary": boundary}
                yield boundary, {name: each for name, each in arguments.items() if name in names}

        @functools.wraps(test)
        def run(*args: Any, **fixtures: Any) -> None:
            for boundary, each in runs(fixtures):
                with _add_note(boundary):
                    test(*args, **each)

        @functools.wraps(test)
        async def run_async(*args: Any, **fixtures: Any) -> None:
            for boundary, each in runs(fixtures):
                with _add_note(boundary):
                    await test(*args, **each)

        decorated: Any = run_async if inspect.iscoroutinefunction(test) else run
        decorated.__signature__ = _fixture_signature(inspect.signature(test))
        return decorated  # type: ignore[no-any-return]

    return decorate


def _fixture_signature(signature: inspect.Signature) -> inspect.Signature:
    """Return the signature for pytest: with the fixture `sessionary`, without `boundary`."""
    parameters = {name: each for name, each in signature.parameters.items() if name != "boundary"}
    namespace = inspect.Parameter("sessionary", inspect.Parameter.KEYWORD_ONLY)
    parameters.setdefault("sessionary", namespace)
    return signature.replace(parameters=list(parameters.values()))


def _boundaries(namespace: Namespace, session: _Session) -> Iterator[Boundary]:
    id = session if isinstance(session, str) else session(namespace)
    transitions = namespace.explain(id)["next_transitions"]
    if not transitions:
        raise AssertionError(f"session {id} has no coming transitions to test")
    contents = namespace.namespaces.snapshot()
    for transition in transitions:
        for offset in _OFFSETS:
            at = from_text(transition["at"]) + timedelta(microseconds=offset)
            namespace.namespaces.restore(contents)
            namespace.clock.freeze(at)
            yield Boundary(id, transition, offset, at)


@contextmanager
def _add_note(boundary: Boundary) -> Iterator[None]:
    """Add the boundary to an exception of the test."""
    try:
        yield
    except BaseException as error:
        error.add_note(str(boundary))
        raise
