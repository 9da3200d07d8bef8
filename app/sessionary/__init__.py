"""Sessionary: the sessions APIs of four vendors on one SQLite file, every state derived from facts.

Public names are loaded on first use, so that `import sessionary` costs next to nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sessionary.factory import create_app, load_settings, make_settings
    from sessionary.settings import Settings

__all__ = ["Settings", "__version__", "create_app", "load_settings", "make_settings"]
__version__ = "0.1.0"

_HOMES = {
    "create_app": "sessionary.factory",
    "load_settings": "sessionary.factory",
    "make_settings": "sessionary.factory",
    "Settings": "sessionary.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sessionary' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
