"""The vendors' APIs. To add one: a folder and a line here, see docs/adding-a-vendor.md."""

from typing import TYPE_CHECKING, Any

from sessionary.surfaces import galtea, mobilenext, notte, scale

if TYPE_CHECKING:
    from sessionary.web.surface import Surface

    SURFACES: tuple[Surface, ...]

_VENDORS = (scale, mobilenext, notte, galtea)
SDKS = tuple(vendor.sdk for vendor in _VENDORS)


def __getattr__(name: str) -> Any:
    """Make SURFACES on first use: it loads Flask and the database, which SDKS does not need."""
    if name != "SURFACES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    surfaces = tuple(vendor.make_surface() for vendor in _VENDORS)
    globals()["SURFACES"] = surfaces
    return surfaces
