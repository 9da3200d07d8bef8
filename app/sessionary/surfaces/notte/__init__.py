"""Notte browser sessions: v1 (`/session/start`) and v4 (`/sessions/start`) on the same rows."""

from sessionary.surfaces.notte import (
    blueprint,
    errors,
    explanations,
    fault_presets,
    models,
    queries,
    seeds,
)
from sessionary.surfaces.notte.schemas import responses
from sessionary.web.surface import Surface

_error = responses.ErrorBody()

surface = Surface(
    name="notte",
    title="Notte browser sessions",
    blueprints=(blueprint.open_routes, blueprint.v1, blueprint.v4),
    root_blueprints=(blueprint.open_routes, blueprint.v1),
    root_segments=frozenset({"session", "env", "health"}),
    tables=(models.Session,),
    key_prefix="sk-notte-",
    example=(
        "-X POST {url}/notte/session/start -H 'Authorization: Bearer {key}' "
        "-H 'Content-Type: application/json' -d '{{\"session_timeout_minutes\": 5}}'"
    ),
    authenticate=blueprint.authenticate,
    error_body=lambda _, message: errors.body(message),
    error_schemas=dict.fromkeys((400, 401, 403, 404, 413, 422, 429, 500, 503), _error),
    sessions=explanations.sessions,
    retention=queries.retention,
    seed_tables=seeds.TABLES,
    session_key="session_id",
    fault_presets=fault_presets.FAULT_PRESETS,
    retry_statuses=fault_presets.RETRY_STATUSES,
)
