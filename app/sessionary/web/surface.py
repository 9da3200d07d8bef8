"""What a vendor's surface tells the rest of the house about itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flask import Blueprint
from marshmallow import Schema

from sessionary.store import Model
from sessionary.web.retention import Retention
from sessionary.web.seeding import SeedTable
from sessionary.web.telling import SessionQueries


class FaultPreset(NamedTuple):
    """An answer with which a vendor is known to fail; `source` says who says so."""

    status: int
    body: Mapping[str, Any]
    source: str  # `Source: …` or `Assumed: …`


def retry_after(milliseconds: int) -> dict[str, str]:
    """The header that says when to try again: in whole seconds, rounded up."""
    return {"Retry-After": str(-(-milliseconds // 1000))}


@dataclass(frozen=True)
class Surface:
    """One vendor's API: mounted under `/<name>`, and its root blueprints at the root as well."""

    name: str
    title: str
    blueprints: tuple[Blueprint, ...]
    root_blueprints: tuple[Blueprint, ...]
    root_segments: frozenset[str]  # of the unrouted paths that it refuses
    tables: tuple[type[Model], ...]
    key_prefix: str  # what the vendor's keys begin with
    example: str  # the path, headers and body of a first call, as curl's arguments
    authenticate: Callable[[], None]
    error_body: Callable[[int, str], dict[str, Any]]  # the vendor's body for a refusal of HTTP's
    error_schemas: Mapping[int, Schema]  # the shape of each refusal, for OpenAPI
    sessions: SessionQueries
    retention: Retention | None = None  # of those sessions that end
    seed_tables: tuple[SeedTable, ...] = ()
    first_rows: Callable[[], None] | None = None
    session_key: str = "id"  # under which its bodies name a session
    fault_presets: Mapping[str, FaultPreset] = field(default_factory=dict)  # by name
    retry_headers: Callable[[int], dict[str, str]] = retry_after  # headers for so many milliseconds
    retry_statuses: frozenset[int] = frozenset()  # the failures that say when to try again
    openapi_at_root: bool = False
    error_content_type: str = "application/json"
    security: Mapping[str, str] = field(
        default_factory=lambda: {"type": "http", "scheme": "bearer"}
    )
    header_parameters: tuple[
        Mapping[str, Any], ...
    ] = ()  # that every call takes, as OpenAPI parameters


def by_segment(surfaces: Sequence[Surface]) -> dict[str, Surface]:
    """Whose a path is, by its first segment."""
    return {
        segment: surface
        for surface in surfaces
        for segment in (surface.name.partition("/")[0], *surface.root_segments)
    }
