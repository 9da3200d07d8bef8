"""Each call, field and rule has one source; docs/compatibility.md shows them."""

from collections.abc import Mapping

import pytest

from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface
from tests.docs import compatibility
from tests.docs.compatibility import field_sources, module, sources_of

each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def ensure_names(sources: Mapping[str, str], expected: set[str]) -> None:
    """Assert that these names have a source, each one, and no other name has."""
    assert sorted(" ".join(sources.values()).split()) == sorted(expected)


@each_surface
def test_each_call_path_parameter_and_header_has_a_source(surface: Surface) -> None:
    ensure_calls_have_sources(surface)


def ensure_calls_have_sources(surface: Surface) -> None:
    calls = {each.name for each in compatibility.operations(surface)}
    sources = module(surface, "blueprint").SOURCES
    ensure_names(sources, calls | compatibility.parameters(surface).keys())


@each_surface
def test_each_method_of_a_websocket_has_a_source(surface: Surface) -> None:
    if surface.messages is not None:
        ensure_names(module(surface, "websocket").SOURCES, set(surface.messages.routes))


@each_surface
def test_each_field_has_a_source_and_each_source_a_field(surface: Surface) -> None:
    ensure_fields_have_sources(surface)


def ensure_fields_have_sources(surface: Surface) -> None:
    sources, schemas = field_sources(surface), compatibility.all_schemas(surface)
    for schema in schemas:
        fields = schema().fields.items()
        names = {field.data_key or name for name, field in fields}
        assert sources_of(schema, sources).keys() == names, schema
    for schema, found in sources.items():
        assert any(issubclass(each, schema) for each in schemas), schema
        listed = " ".join(found.values()).split()
        assert len(listed) == len(set(listed)), schema


@each_surface
def test_a_source_begins_with_what_is_known_best(surface: Surface) -> None:
    for table in compatibility.tables(surface):
        for *_, source in table.rows:
            assert source.startswith(("Source: ", "Assumed: ")), source
            assert source.endswith("."), source
            assert compatibility.kind(source) in compatibility.KINDS, source
