"""Scale GenAI Platform: `/v4/sessions` and `/user-info`."""

from sessionary.surfaces.scale import (
    blueprint,
    errors,
    explanations,
    fault_presets,
    models,
    queries,
    schemas,
    seeds,
)
from sessionary.web.surface import Surface

_error = schemas.ErrorBody()

surface = Surface(
    name="scale",
    title="Scale GenAI Platform sessions",
    blueprints=(blueprint.routes,),
    root_blueprints=(blueprint.routes,),
    root_segments=frozenset({"v4", "user-info"}),
    tables=(models.Session, models.SessionCount),
    key_prefix="scale-",
    example="{url}/scale/user-info -H 'x-api-key: {key}'",
    authenticate=blueprint.authenticate,
    error_body=lambda _, message: errors.body(message),
    error_schemas={
        **dict.fromkeys((400, 401, 403, 404, 413, 429, 500, 503), _error),
        422: schemas.ValidationErrorBody(),
    },
    sessions=explanations.sessions,
    retention=queries.retention,
    seed_tables=seeds.TABLES,
    fault_presets=fault_presets.FAULTS,
    retry_headers=errors.retry_headers,
    retry_statuses=fault_presets.RETRY_STATUSES,
    security={"type": "apiKey", "in": "header", "name": "x-api-key"},
    header_parameters=(
        {
            "in": "header",
            "name": "x-selected-account-id",
            "required": False,
            "schema": {"type": ["string", "null"]},
            "description": "Limits the call to one of the caller's accounts; empty is as absent.",
        },
    ),
)
