"""Mobile Next device sessions: each device of a catalogue is allocated to one at a time."""

from sessionary.surfaces.mobilenext import (
    blueprint,
    devices,
    errors,
    explanations,
    fault_presets,
    models,
    schemas,
    seeds,
)
from sessionary.surfaces.mobilenext.queries import control
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
    retention=control.retention,
    seed_tables=seeds.TABLES,
    fault_presets=fault_presets.FAULTS,
    first_rows=devices.insert_defaults,
    header_parameters=(
        {
            "in": "header",
            "name": blueprint.HEADER,
            "description": "The caller's organization that the call acts in.",
            "schema": {"type": "string"},
        },
    ),
)
