"""Sessionary in tests: a server inside the test process, and a namespace for each test.

pytest finds its fixtures by itself (sessionary.testing.plugin); unittest has a mixin
(sessionary.testing.unittest); whoever uses neither starts a Server. Names are loaded on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionary.testing.boundaries import Boundary, sessionary_boundaries
    from sessionary.testing.namespace import Namespace
    from sessionary.testing.servers import RemoteServer, Server

__all__ = ["Boundary", "Namespace", "RemoteServer", "Server", "sessionary_boundaries"]

_HOMES = {
    "Boundary": "boundaries",
    "RemoteServer": "servers",
    "Server": "servers",
    "Namespace": "namespace",
    "sessionary_boundaries": "boundaries",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sessionary.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"sessionary.testing.{_HOMES[name]}"), name)
