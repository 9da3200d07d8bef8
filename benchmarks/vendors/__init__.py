"""What the benchmark asks of each surface: the same names in each module."""

from types import ModuleType

from benchmarks.vendors import galtea, mobilenext, notte, scale

VENDORS: tuple[ModuleType, ...] = (scale, mobilenext, notte, galtea)
