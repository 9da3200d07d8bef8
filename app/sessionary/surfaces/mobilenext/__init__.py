"""Mobile Next device sessions: a catalogue of devices, given to one session at a time."""

from sessionary.surfaces.mobilenext import (
    blueprint,
    devices,
    errors,
    explanations,
    fault_presets,
    models,
    retention,
    schemas,
    seeds,
)
from sessionary.web.surface import Surface

_error = schemas.ErrorBody()

surface = Surface(
    name="mobilenext",
    title="Mobile Next device sessions",
    blueprints=(blueprint.routes,),
    root_blueprints=(blueprint.routes,),
    root_segments=frozenset({"api", "ws"}),
    tables=models.TABLES,
    key_prefix="mob_",
    example="-X POST {url}/mobilenext/api/v1/sessions -H 'Authorization: Bearer {key}'",
    authenticate=blueprint.authenticate,
    error_body=errors.error_body,
    error_schemas=dict.fromkeys((400, 401, 403, 404, 409, 413, 429, 500, 503), _error),
    sessions=explanations.sessions,
    retention=retention.retention,
    seed_tables=seeds.TABLES,
    fault_presets=fault_presets.FAULTS,
    first_rows=devices.first_rows,
    header_parameters=(
        {
            "in": "header",
            "name": blueprint.HEADER,
            "description": "Which of the caller's organizations the call acts in.",
            "schema": {"type": "string"},
        },
    ),
)
