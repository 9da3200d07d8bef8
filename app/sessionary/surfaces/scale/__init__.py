"""Scale GenAI Platform: `/v4/sessions`, and the `/user-info` that names the caller's accounts."""

from sessionary.surfaces.scale import (
    blueprint,
    errors,
    explanations,
    fault_presets,
    models,
    retention,
    schemas,
    seeds,
)
from sessionary.web.surface import Surface

_refused = schemas.Refused()

surface = Surface(
    name="scale",
    title="Scale GenAI Platform sessions",
    blueprints=(blueprint.routes,),
    root_blueprints=(blueprint.routes,),
    root_segments=frozenset({"v4", "user-info"}),
    tables=(models.Session, models.Count),
    key_prefix="scale-",
    example="{url}/scale/user-info -H 'x-api-key: {key}'",
    authenticate=blueprint.authenticate,
    refuse=lambda _, message: errors.body(message),
    refusals={
        **dict.fromkeys((400, 401, 403, 404, 413, 429, 500, 503), _refused),
        422: schemas.Invalid(),
    },
    sessions=explanations.sessions,
    retention=retention.retention,
    seed_tables=seeds.TABLES,
    faults=fault_presets.FAULTS,
    waits=fault_presets.waits,
    wait_statuses=fault_presets.WAIT_STATUSES,
    security={"type": "apiKey", "in": "header", "name": "x-api-key"},
    headers=(
        {
            "in": "header",
            "name": "x-selected-account-id",
            "required": False,
            "schema": {"type": ["string", "null"]},
            "description": "Narrows the call to one account of the caller; empty is as absent.",
        },
    ),
)
