"""The vendors. A fifth one is a folder like the others and one line here."""

from sessionary.surfaces.notte import surface as notte
from sessionary.wire.surface import Surface

SURFACES: tuple[Surface, ...] = (notte,)
