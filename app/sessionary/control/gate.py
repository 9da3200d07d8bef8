"""What the control plane does around every request: before it, and behind it."""

from collections.abc import Callable, Iterable
from typing import Any

from sessionary import clock, store
from sessionary.control.routes import PREFIX
from sessionary.store import World
from sessionary.wire.instants import to_text

_CONTROL = f"/{PREFIX}/"
_WORLDS = f"/{PREFIX}/namespaces"


class Gate:
    """Takes a request into its world, and says in its headers which world and which instant."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(
        self, world: World, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(_WORLDS):  # its views enter the worlds that they name
            return self._application(environ, start_response)
        if path.startswith(_CONTROL):
            with world.entered(), store.history.rewound():
                return self._application(environ, start_response)
        return self._vendor_call(world, environ, start_response)

    def _vendor_call(
        self, world: World, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            at = clock.seen.get() or clock.now()
            said = [("Sessionary-Now", to_text(at)), ("Sessionary-Namespace", world.name)]
            return start_response(status, [*headers, *said], *rest)

        call = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        with world.entered(), store.history.rewound(), store.history.caused_by(call):
            clock.seen.set(None)
            return self._application(environ, start)
