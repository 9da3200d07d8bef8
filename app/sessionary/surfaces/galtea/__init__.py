"""Galtea evaluation sessions, and stubs of the versions and tests that they refer to."""

from typing import TYPE_CHECKING

from sessionary.web.sdk import Sdk

if TYPE_CHECKING:
    from sessionary.web.surface import Surface

sdk = Sdk(
    "galtea",
    ("gsk_", "gsk-"),
    lambda access: {"GALTEA_API_URL": access.url, "GALTEA_API_KEY": access.key},
)


def make_surface() -> "Surface":
    """Load the modules of this surface: `sessionary env` needs only its `sdk`."""
    from sessionary.surfaces.galtea import blueprint, errors, explanations, models, seeds
    from sessionary.surfaces.galtea.fault_presets import FAULT_PRESETS
    from sessionary.surfaces.galtea.queries import sessions
    from sessionary.surfaces.galtea.rules import GalteaSettings
    from sessionary.surfaces.galtea.schemas import ErrorBody
    from sessionary.web.surface import Surface

    error_statuses = (400, 401, 403, 404, 405, 413, 429, 500, 503)
    return Surface(
        sdk=sdk,
        title="Galtea evaluation sessions",
        blueprints=(blueprint.open_routes, blueprint.routes),
        root_blueprints=(blueprint.open_routes, blueprint.routes),
        root_segments=frozenset(
            {"sessions", "versions", "testCases", "tests", "minimum-sdk-version"}
        ),
        tables=models.TABLES,
        example=(
            "-X POST {url}/galtea/sessions -H 'Authorization: Bearer {key}' "
            "-H 'Content-Type: application/json' -d '{{\"versionId\": \"ver_123\"}}'"
        ),
        sdk_examples={
            "python": (
                "from galtea import Galtea\n\n"
                'galtea = Galtea(api_key="{key}", base_url="{url}/galtea")\n'
                'print(galtea.sessions.create(version_id="ver_123", is_production=True).id)'
            )
        },
        settings=GalteaSettings,
        migrations=models.MIGRATIONS,
        earlier_sql=models.EARLIER_SQL,
        authenticate=blueprint.authenticate,
        error_body=errors.body,
        error_schemas=dict.fromkeys(error_statuses, ErrorBody()),
        sessions=explanations.sessions,
        retention=sessions.retention,
        seed_tables=seeds.TABLES,
        fault_presets=FAULT_PRESETS,
        openapi_at_root=True,
    )
