"""docs/compatibility.md: each call, field and rule of each vendor with its source."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema, fields

from sessionary import create_app
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web import openapi
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

KINDS = ("page", "sibling", "client", "docs", "assumed")
INTRODUCTION = """
A source is the vendor's page of the endpoint, a sibling (another page of its API), the vendor's
client, or its other docs; what has no source is assumed. So many calls, fields and rules come from
each, by the first source that is named; those in the last column have a source, and a part that is
assumed. A field of a response is always there unless its row says otherwise.
""".strip()
# JSON Schema in words.
LIMITS = {
    "exclusiveMinimum": "more than {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "less than {}",
    "maximum": "at most {}",
    "minLength": "length at least {}",
    "minItems": "length at least {}",
    "maxItems": "length at most {}",
    "enum": "one of {}",
    "default": "default {}",
}
PLUGIN = MarshmallowPlugin(schema_name_resolver=lambda _: "")  # no reference to a schema
APISpec("", "", "3.1.0", plugins=[PLUGIN])
_APPS: dict[str, Flask] = {}

Sources = Mapping[type[Schema], Mapping[str, str]]
Row = tuple[str, ...]


class Table(NamedTuple):
    """A table of the page; the last value of each row is a source."""

    what: str  # calls, fields or rules
    title: str
    columns: Row
    rows: list[Row]


def app(surface: Surface) -> Flask:
    if surface.name not in _APPS:
        settings = Settings(db=":memory:", auth="lenient")
        _APPS[surface.name] = create_app(settings, surfaces=(surface,))
    return _APPS[surface.name]


def module(surface: Surface, name: str) -> Any:
    return import_module(f"sessionary.surfaces.{surface.name}.{name}")


def by_name(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the source of each name, from the names of each source."""
    return {name: source for source, names in sources.items() for name in names.split()}


def field_sources(surface: Surface) -> Sources:
    """Return the sources of fields by schema; `schemas` may be a package."""
    schemas = module(surface, "schemas")
    parts = [each.name for each in iter_modules(getattr(schemas, "__path__", ()))]
    modules = [schemas, *(module(surface, f"schemas.{part}") for part in parts)]
    return {key: value for each in modules for key, value in vars(each).get("SOURCES", {}).items()}


def operations(surface: Surface) -> list[Operation]:
    return [operation for *_, operation in openapi.routes(app(surface), surface)]


def parameters(surface: Surface) -> dict[str, str]:
    """Return the place of each path parameter and header."""
    names = [each["name"] for each in surface.header_parameters]
    names += [surface.security.get("name", "Authorization"), *surface.journal_headers]
    paths = [path for path, *_ in openapi.routes(app(surface), surface)]
    in_paths = [part[1:-1] for path in paths for part in path.split("/") if part[:1] == "{"]
    return dict.fromkeys(in_paths, "path") | dict.fromkeys(names, "header")


def requests(surface: Surface) -> dict[type[Schema], Schema]:
    return _unique(part for each in operations(surface) for part in (each.query, each.body))


def responses(surface: Surface) -> dict[type[Schema], Schema]:
    found = [schema for each in operations(surface) for schema in each.answers.values()]
    return _unique([*found, *surface.error_schemas.values()])


def all_schemas(surface: Surface) -> list[type[Schema]]:
    """Return the schemas of requests and responses, and of the objects in them."""
    found = [*requests(surface).values(), *responses(surface).values()]
    for schema in found:
        found += [each for each in map(_inner, schema.fields.values()) if each is not None]
    return list(_unique(found))


def sources_of(schema: type[Schema], sources: Sources) -> dict[str, str]:
    """Return the source of each field, by its name in JSON. A schema inherits its parents'."""
    found: dict[str, str] = {}
    for each in reversed(schema.__mro__):
        found |= by_name(sources.get(each, {}))
    return found


def kind(source: str) -> str:
    """Return the first word of a source."""
    return source.removeprefix("Source: ").split()[0].strip(".,:").lower()


def compatibility(differences: str) -> str:
    """Return the text of the page."""
    every = {surface.title: list(tables(surface)) for surface in SURFACES}
    counts = [row for title, found in every.items() for row in _counts(title, found)]
    texts = [INTRODUCTION, _markdown(("vendor", "what", "all", *KINDS, "assumed in part"), counts)]
    texts += ["A default that differs; `--vendor-defaults` restores the vendor's:", differences]
    for each in (each for found in every.values() for each in found):
        rows = [(*row[:-1], row[-1].replace("Source: ", "").removesuffix(".")) for row in each.rows]
        texts += [each.title, _markdown((*each.columns, "source"), rows)]
    return "\n\n".join(texts)


def _counts(title: str, found: Iterable[Table]) -> Iterator[Row]:
    for what in ("calls", "fields", "rules"):
        sources = [row[-1] for each in found if each.what == what for row in each.rows]
        kinds = Counter(map(kind, sources))
        in_part = sum(". Assumed:" in each for each in sources)
        numbers = (len(sources), *(kinds[each] for each in KINDS), in_part)
        yield (title, what, *map(str, numbers))


def _markdown(columns: Row, rows: Iterable[Row]) -> str:
    lines = ["| " + " | ".join(each).replace("|  |", "| |") + " |" for each in (columns, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(columns)}", *lines[1:]]).replace("|  |", "| |")


def tables(surface: Surface) -> Iterator[Table]:
    """Yield the tables of a surface."""
    statuses: dict[str, list[str]] = {}
    for status, schema in surface.error_schemas.items():
        statuses.setdefault(_name(schema), []).append(str(status))
    errors = "; ".join(f"{name} ({', '.join(each)})" for name, each in statuses.items())
    title = f"## {surface.title}\n\nErrors: {errors}."
    yield Table("calls", title, ("call", "request", "responses"), list(_call_rows(surface)))
    if surface.messages is not None:
        title = "Methods of JSON-RPC over `/ws`; a parameter with `?` may be absent:"
        yield Table("calls", title, ("method", "parameters"), list(_method_rows(surface)))
    yield from _field_tables(surface)
    rules = [(f"`{name}`", source) for name, source in module(surface, "rules").SOURCES.items()]
    yield Table("rules", "### Rules", ("rule",), rules)


def _call_rows(surface: Surface) -> Iterator[Row]:
    sources = by_name(module(surface, "blueprint").SOURCES)
    for path, method, call in openapi.routes(app(surface), surface):
        given = ", ".join(_name(each) for each in (call.query, call.body) if each is not None)
        shown = ", ".join(f"{code} {_name(each)}".strip() for code, each in call.answers.items())
        yield f"`{method.upper()} {path}`", given, shown, sources[call.name]


def _method_rows(surface: Surface) -> Iterator[Row]:
    websocket = module(surface, "websocket")
    sources = by_name(websocket.SOURCES)
    for name, method in websocket.METHODS.items():
        given = {} if method.params is None else method.params.fields
        params = [
            f"`{key}`{'' if each.required else '?'} {_type(each)}" for key, each in given.items()
        ]
        yield f"`{name}`", ", ".join(params), sources[name]


def _field_tables(surface: Surface) -> Iterator[Table]:
    sources = by_name(module(surface, "blueprint").SOURCES)
    rows: list[Row] = [(f"`{n}`", place, sources[n]) for n, place in parameters(surface).items()]
    yield Table("fields", "### Requests", ("parameter", "in"), rows)
    given, shown = requests(surface), responses(surface)
    every = given | shown
    for schema in every.values():
        parent = _parent(schema, every)
        more = f", with the fields of `{parent.__name__}`" if parent else ""
        title = f"**`{type(schema).__name__}`**{more}"
        if schema is next(iter(shown.values())):
            title = f"### Responses\n\n{title}"
        rows = list(
            _field_rows(schema, field_sources(surface), every, is_given=type(schema) in given)
        )
        yield Table("fields", title, ("field", "type", "limits"), rows)


def _field_rows(
    schema: Schema,
    sources: Sources,
    shown: Iterable[type[Schema]],
    *,
    is_given: bool,
    prefix: str = "",
) -> Iterator[Row]:
    """Yield a row for each field; an object without a table of its own has its fields here."""
    of, parent = sources_of(type(schema), sources), _parent(schema, shown)
    inherited = {} if parent is None else parent._declared_fields
    for name, field in schema.fields.items():
        if inherited.get(name) is schema._declared_fields[name]:
            continue
        key, inner = f"{prefix}{field.data_key or name}", _inner(field)
        source = of[field.data_key or name]
        yield f"`{key}`", _type(field, shown), _limits(field, is_given=is_given), source
        if inner is not None and type(inner) not in shown:
            place = f"{key}[]." if isinstance(field, fields.List) else f"{key}."
            yield from _field_rows(inner, sources, shown, is_given=is_given, prefix=place)


def _parent(schema: Schema, shown: Iterable[type[Schema]]) -> type[Schema] | None:
    """Return the schema with a table of its own that this one extends."""
    return next((each for each in type(schema).__mro__[1:] if each in shown), None)


def _inner(field: Any) -> Schema | None:
    """Return the schema of an object, or of the objects of a list."""
    found = field.inner if isinstance(field, fields.List) else field
    return found.schema if isinstance(found, fields.Nested) else None


def _unique(schemas: Iterable[Schema | None]) -> dict[type[Schema], Schema]:
    return {type(each): each for each in schemas if each is not None}


def _name(schema: Schema | None) -> str:
    if schema is None:
        return ""
    return f"{'array of ' if schema.many else ''}`{type(schema).__name__}`"


def _type(field: fields.Field[Any], shown: Iterable[type[Schema]] = ()) -> str:
    inner = _inner(field)
    if isinstance(field, fields.List):
        return f"array of {_type(field.inner, shown)}" + (" or null" if field.allow_none else "")
    if inner is not None:
        return _name(type(inner)()) if type(inner) in shown else "object"
    return _words(PLUGIN.converter.field2property(field))


def _words(found: Mapping[str, Any]) -> str:
    """Return a type of JSON Schema in words."""
    if "oneOf" in found:
        return " or ".join(map(_words, found["oneOf"]))
    types = found.get("type", "any")
    types = [types] if isinstance(types, str) else types
    if list(types) == ["null"]:  # of a value of any type, which may be null
        return "any"
    return " or ".join(found.get("format", each) if each == "string" else each for each in types)


def _limits(field: fields.Field[Any], *, is_given: bool) -> str:
    """Return in words whether a field is required, its limits, its default, and what it is."""
    found = PLUGIN.converter.field2property(field)
    found = {**found.get("items", {}), **found}
    if "exclusiveMinimum" in found:
        found.pop("minimum", None)
    words = ["required"] if is_given and field.required else []
    words += [] if is_given or field.required else ["may be absent"]
    words += [
        text.format(_value(found[key]))
        for key, text in LIMITS.items()
        if found.get(key) is not None
    ]
    return ". ".join(filter(None, (", ".join(words), found.get("description")))).removesuffix(".")


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value if each is not None)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
