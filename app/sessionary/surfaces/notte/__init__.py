"""Notte browser sessions: v1 (`/session/start`) and v4 (`/sessions/start`) on the same rows."""

from typing import TYPE_CHECKING

from sessionary.web.sdk import Sdk

if TYPE_CHECKING:
    from sessionary.web.surface import Surface

sdk = Sdk(
    "notte",
    ("sk-notte-",),
    lambda access: {
        "NOTTE_API_URL": access.url,
        "NOTTE_API_KEY": access.key,
        "DISABLE_TELEMETRY": "true",
    },
)


def make_surface() -> "Surface":
    """Load the modules of this surface: `sessionary env` needs only its `sdk`."""
    from sessionary.surfaces.notte import blueprint, errors, explanations, models, queries, seeds
    from sessionary.surfaces.notte.fault_presets import FAULT_PRESETS, RETRY_STATUSES
    from sessionary.surfaces.notte.rules import NotteSettings
    from sessionary.surfaces.notte.schemas.responses import ErrorBody
    from sessionary.web.surface import Surface

    error_statuses = (400, 401, 403, 404, 413, 422, 429, 500, 503)
    return Surface(
        sdk=sdk,
        title="Notte browser sessions",
        blueprints=(blueprint.open_routes, blueprint.v1, blueprint.v4),
        root_blueprints=(blueprint.open_routes, blueprint.v1),
        root_segments=frozenset({"session", "env", "health"}),
        tables=(models.Session,),
        example=(
            "-X POST {url}/notte/session/start -H 'Authorization: Bearer {key}' "
            "-H 'Content-Type: application/json' -d '{{\"session_timeout_minutes\": 5}}'"
        ),
        settings=NotteSettings,
        migrations=models.MIGRATIONS,
        earlier_sql=models.EARLIER_SQL,
        claims_root_path=blueprint.claims_root_path,
        journal_headers=("x-notte-sdk-version",),
        authenticate=blueprint.authenticate,
        error_body=lambda _, message: errors.body(message),
        error_schemas=dict.fromkeys(error_statuses, ErrorBody()),
        sessions=explanations.sessions,
        retention=queries.retention,
        seed_tables=seeds.TABLES,
        sdk_examples={
            "python": (
                "from notte_sdk import NotteClient\n\n"
                'notte = NotteClient(api_key="{key}", server_url="{url}/notte")\n'
                "print(notte.sessions.start(idle_timeout_minutes=5).status)"
            )
        },
        session_key="session_id",
        fault_presets=FAULT_PRESETS,
        retry_statuses=RETRY_STATUSES,
    )
