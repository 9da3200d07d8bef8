"""What every surface keeps to."""

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType, ModuleType

import pytest

from sessionary.surfaces import SURFACES
from sessionary.wire.surface import Surface

FILES = {"blueprint", "errors", "models", "rules", "schemas", "seeds", "serializers"}
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def module(surface: Surface, name: str) -> ModuleType:
    return import_module(f"sessionary.surfaces.{surface.name}.{name}")


def public_functions(of: ModuleType) -> list[FunctionType]:
    return [
        each
        for name, each in inspect.getmembers(of, inspect.isfunction)
        if each.__module__ == of.__name__ and not name.startswith("_")
    ]


@each_surface
def test_a_surface_has_the_same_rooms_as_the_others(surface: Surface) -> None:
    package = import_module(f"sessionary.surfaces.{surface.name}")
    assert {each.name for each in iter_modules(package.__path__)} >= FILES


@each_surface
def test_every_rule_says_where_it_comes_from(surface: Surface) -> None:
    for rule in public_functions(module(surface, "rules")):
        assert re.search(r"(Source|Assumed): ", rule.__doc__ or ""), rule.__qualname__


@each_surface
def test_a_rule_asks_no_clock(surface: Surface) -> None:
    for rule in public_functions(module(surface, "rules")):
        assert not {"clock", "datetime", "time"} & set(rule.__code__.co_names), rule.__qualname__


@each_surface
def test_every_refusal_of_http_is_in_the_documented_envelope(surface: Surface) -> None:
    for status in surface.refusals.keys() - {422}:
        schema = surface.refusals[status]
        assert schema.validate(surface.refuse(status, "said")) == {}
