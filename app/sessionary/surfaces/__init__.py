"""The vendors. A fifth one is a folder like the others and one line here."""

from sessionary.surfaces.galtea import surface as galtea
from sessionary.surfaces.mobilenext import surface as mobilenext
from sessionary.surfaces.notte import surface as notte
from sessionary.surfaces.scale import surface as scale
from sessionary.web.surface import Surface

SURFACES: tuple[Surface, ...] = (scale, mobilenext, notte, galtea)
