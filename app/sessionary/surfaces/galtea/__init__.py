"""Galtea evaluation sessions, and stubs of the versions and tests that they refer to."""

from sessionary.surfaces.galtea import (
    blueprint,
    errors,
    explanations,
    fault_presets,
    models,
    schemas,
    seeds,
)
from sessionary.surfaces.galtea.queries import sessions
from sessionary.web.surface import Surface

_error = schemas.ErrorBody()

surface = Surface(
    name="galtea",
    title="Galtea evaluation sessions",
    blueprints=(blueprint.open_routes, blueprint.routes),
    root_blueprints=(blueprint.open_routes, blueprint.routes),
    root_segments=frozenset({"sessions", "versions", "testCases", "tests", "minimum-sdk-version"}),
    tables=models.TABLES,
    key_prefix="gsk_",
    example=(
        "-X POST {url}/galtea/sessions -H 'Authorization: Bearer {key}' "
        "-H 'Content-Type: application/json' -d '{{\"versionId\": \"ver_123\"}}'"
    ),
    authenticate=blueprint.authenticate,
    error_body=errors.body,
    error_schemas=dict.fromkeys((400, 401, 403, 404, 405, 413, 429, 500, 503), _error),
    sessions=explanations.sessions,
    retention=sessions.retention,
    seed_tables=seeds.TABLES,
    fault_presets=fault_presets.FAULT_PRESETS,
    openapi_at_root=True,
)
