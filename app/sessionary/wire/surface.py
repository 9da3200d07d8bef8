"""What a vendor's surface tells the rest of the house about itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint
from marshmallow import Schema

from sessionary.store import Model
from sessionary.wire.seeding import SeedTable
from sessionary.wire.telling import Sessions

_BEARER = {"type": "http", "scheme": "bearer"}


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
    refuse: Callable[[int, str], dict[str, Any]]  # the vendor's body for a refusal of HTTP's
    refusals: Mapping[int, Schema]  # the shape of each refusal, for OpenAPI
    sessions: Sessions
    seed_tables: tuple[SeedTable, ...] = ()
    first_rows: Callable[[], None] | None = None
    openapi_at_root: bool = False
    refusal_type: str = "application/json"
    security: Mapping[str, str] = field(
        default_factory=lambda: {"type": "http", "scheme": "bearer"}
    )
    headers: tuple[Mapping[str, Any], ...] = ()  # that every call takes, as OpenAPI parameters
