"""Mobile Next device sessions: each device of a catalogue is allocated to one at a time."""

from typing import TYPE_CHECKING

from sessionary.web.sdk import Sdk

if TYPE_CHECKING:
    from sessionary.web.surface import Surface

sdk = Sdk(
    "mobilenext",
    ("mob_",),
    lambda access: {  # mobilecli takes no path: its key selects the namespace
        "MOBILECLI_FLEET_URL": f"ws{access.server_url.removeprefix('http')}/ws",
        "MOBILECLI_TOKEN": access.key,
    },
)


def make_surface() -> "Surface":
    """Load the modules of this surface: `sessionary env` needs only its `sdk`."""
    from sessionary.surfaces.mobilenext import (
        blueprint,
        devices,
        errors,
        explanations,
        models,
        websocket,
    )
    from sessionary.surfaces.mobilenext.fault_presets import FAULT_PRESETS
    from sessionary.surfaces.mobilenext.queries.control import retention
    from sessionary.surfaces.mobilenext.rules import MobileNextSettings
    from sessionary.surfaces.mobilenext.schemas import ErrorBody
    from sessionary.surfaces.mobilenext.seeds import TABLES
    from sessionary.web.surface import Surface

    error_statuses = (400, 401, 403, 404, 409, 413, 429, 500, 503)
    return Surface(
        sdk=sdk,
        title="Mobile Next device sessions",
        blueprints=(blueprint.routes,),
        root_blueprints=(blueprint.routes,),
        root_segments=frozenset({"api", "ws"}),
        tables=models.TABLES,
        example="-X POST {url}/mobilenext/api/v1/sessions -H 'Authorization: Bearer {key}'",
        sdk_examples={
            "shell": "mobilecli remote allocate --platform android"  # it reads the environment
        },
        settings=MobileNextSettings,
        migrations=models.MIGRATIONS,
        earlier_sql=models.EARLIER_SQL,
        authenticate=blueprint.authenticate,
        error_body=errors.error_body,
        error_schemas=dict.fromkeys(error_statuses, ErrorBody()),
        sessions=explanations.sessions,
        retention=retention,
        seed_tables=TABLES,
        fault_presets=FAULT_PRESETS,
        first_rows=devices.insert_defaults,
        devices=devices,
        messages=websocket.MESSAGES,
        header_parameters=(
            {
                "in": "header",
                "name": blueprint.HEADER,
                "description": "The caller's organization that the call acts in.",
                "schema": {"type": "string"},
            },
        ),
    )
