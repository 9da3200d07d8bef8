"""Scale GenAI Platform: `/v4/sessions` and `/user-info`."""

from typing import TYPE_CHECKING

from sessionary.web.sdk import Sdk

if TYPE_CHECKING:
    from sessionary.web.surface import Surface

sdk = Sdk(
    "scale",
    ("scale-",),
    lambda access: {
        "SGP_CLIENT_BASE_URL": access.url,
        "SGP_API_KEY": access.key,
        "SGP_ACCOUNT_ID": access.organization,
        "EGP_ENDPOINT_URL": access.url,
        "EGP_API_KEY": access.key,
        "EGP_ACCOUNT_ID": access.organization,
    },
)


def make_surface() -> "Surface":
    """Load the modules of this surface: `sessionary env` needs only its `sdk`."""
    from sessionary.surfaces.scale import blueprint, errors, explanations, models, queries, schemas
    from sessionary.surfaces.scale.fault_presets import FAULT_PRESETS, RETRY_STATUSES
    from sessionary.surfaces.scale.rules import ScaleSettings
    from sessionary.surfaces.scale.seeds import TABLES
    from sessionary.web.surface import Surface

    return Surface(
        sdk=sdk,
        title="Scale GenAI Platform sessions",
        blueprints=(blueprint.routes,),
        root_blueprints=(blueprint.routes,),
        root_segments=frozenset({"v4", "user-info"}),
        tables=(models.Session, models.SessionCount),
        example="{url}/scale/user-info -H 'x-api-key: {key}'",
        sdk_examples={
            "python": (
                "from scale_gp import SGPClient\n\n"
                'scale = SGPClient(api_key="{key}", account_id="a", base_url="{url}/scale")\n'
                'body = {{"title": "t", "state": {{}}, "account_id": "a"}}\n'
                'print(scale.post("/v4/sessions", cast_to=object, body=body))'
            )
        },
        settings=ScaleSettings,
        migrations=models.MIGRATIONS,
        earlier_sql=models.EARLIER_SQL,
        authenticate=blueprint.authenticate,
        error_body=lambda _, message: errors.body(message),
        error_schemas={
            **dict.fromkeys((400, 401, 403, 404, 413, 429, 500, 503), schemas.ErrorBody()),
            422: schemas.ValidationErrorBody(),
        },
        sessions=explanations.sessions,
        retention=queries.retention,
        seed_tables=TABLES,
        fault_presets=FAULT_PRESETS,
        retry_headers=errors.retry_headers,
        retry_statuses=RETRY_STATUSES,
        security={"type": "apiKey", "in": "header", "name": "x-api-key"},
        header_parameters=(
            {
                "in": "header",
                "name": "x-selected-account-id",
                "required": False,
                "schema": {"type": ["string", "null"]},
                "description": "Limits the call to one of the caller's accounts; empty is absent.",
            },
        ),
    )
