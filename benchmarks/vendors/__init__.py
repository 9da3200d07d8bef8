"""The requests and rows of each surface; every module has the same names."""

from types import ModuleType

from benchmarks.vendors import galtea, mobilenext, notte, scale

VENDORS: tuple[ModuleType, ...] = (scale, mobilenext, notte, galtea)
