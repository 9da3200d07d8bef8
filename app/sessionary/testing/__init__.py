"""Sessionary in tests: a double in the test process, and a namespace for each test.

pytest loads the plugin (sessionary.testing.plugin) automatically; unittest has a mixin
(sessionary.testing.unittest); other code uses Server. Names are imported on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionary.testing.boundaries import Boundary, sessionary_boundaries
    from sessionary.testing.namespace import Namespace
    from sessionary.testing.servers import RemoteServer, Server

__all__ = ["Boundary", "Namespace", "RemoteServer", "Server", "sessionary_boundaries"]

_MODULES = {
    "Boundary": "boundaries",
    "Namespace": "namespace",
    "RemoteServer": "servers",
    "Server": "servers",
    "sessionary_boundaries": "boundaries",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sessionary.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"sessionary.testing.{_MODULES[name]}"), name)
