"""create_app: the only room that knows all rooms."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask
from werkzeug.wrappers import Response

from sessionary import store
from sessionary.factory.auto_prune import AutoPrune
from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.factory.health_middleware import HealthMiddleware
from sessionary.factory.matching import MatchOnlyRule
from sessionary.factory.namespace_middleware import (
    MultiNamespaceMiddleware,
    NamespaceMiddleware,
    Serve,
    handle_outages,
    in_namespace,
    routed_path,
)
from sessionary.factory.proxy_middleware import TrustedProxyMiddleware
from sessionary.factory.request_id_middleware import RequestIdMiddleware, note_rule
from sessionary.factory.startup import TABLES, Prepared, prepare
from sessionary.identity import NewKey
from sessionary.settings import BadSetting, Settings, networks
from sessionary.store import DEFAULT, Namespace, Namespaces
from sessionary.surfaces import SURFACES
from sessionary.web.events import Observer
from sessionary.web.operations import answer
from sessionary.web.surface import Surface

__all__ = ["TABLES", "Prepared", "create_app", "create_double", "prepare", "welcome"]


class _App(Flask):
    """An application whose functions are all plain: Flask asks each one, at every call."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(
    settings: Settings | None = None, namespace: Namespace | None = None, *observers: Observer
) -> Flask:
    """The WSGI application on a prepared namespace; without one, on the namespace of the settings.

    Each of `observers` is told of every request once it is answered.
    A strict application on an empty database prints its first keys once. Raises BadSetting,
    store.DatabaseUnusable and seed.BadSeed.
    """
    settings = settings or Settings()
    if settings.control:
        from sessionary import control

        control.check_server(settings)
    if namespace is None:
        prepared = prepare(settings)
        namespace = prepared.namespace
        if prepared.first_keys:
            print(welcome(prepared.first_keys, f"http://{settings.host}:{settings.port}"))
    if settings.prune_ended_days is not None:
        observers = (
            *observers,
            AutoPrune(namespace, settings.prune_ended_days).on_request_finished,
        )
    app, refusals = _application(settings, namespace, None, is_told=bool(observers))
    return _watched(
        app, NamespaceMiddleware(_serve(app, refusals), namespace, refusals), refusals, observers
    )


def create_double(settings: Settings | None = None, *observers: Observer) -> Flask:
    """The WSGI application of a double: as many namespaces as are asked for, and the control plane.

    Raises as `create_app` does.
    """
    from sessionary import control
    from sessionary.factory.double_startup import prepare_double

    settings = settings or Settings.of_a_double()
    control.check_double(settings)
    if settings.tls_certificate:
        raise BadSetting("tls_certificate is for a server: a double speaks plain HTTP")
    namespaces = prepare_double(settings)
    app, refusals = _application(
        settings, namespaces.find(DEFAULT), namespaces, is_told=bool(observers)
    )
    return _watched(
        app,
        MultiNamespaceMiddleware(_serve(app, refusals), namespaces, refusals),
        refusals,
        observers,
    )


def _serve(app: Flask, refusals: ErrorHandlers) -> Serve:
    """The application in a namespace, with the control plane around it where there is one."""
    settings: Settings = app.config["SESSIONARY"]
    if not settings.control:
        return in_namespace(app.wsgi_app)
    from sessionary import control

    return handle_outages(control.Gate(app), refusals)


def _application(
    settings: Settings, namespace: Namespace, namespaces: Namespaces | None, *, is_told: bool
) -> tuple[Flask, ErrorHandlers]:
    """Flask with all routes, as it is behind a door; and what refuses for it."""
    app = _App(
        "sessionary",
        static_folder=None,
        template_folder=None,
        instance_path=str(Path(settings.db).absolute().parent),
    )
    app.config["SESSIONARY"] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_rule_class = MatchOnlyRule
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.extensions["sessionary"] = namespace
    surfaces = SURFACES
    if settings.control:
        from sessionary import control

        surfaces = (*SURFACES, control.surface)
    for surface in surfaces:
        _mount(app, surface)
    refusals = ErrorHandlers(surfaces)
    refusals.register(app)
    if is_told:
        app.before_request(note_rule)
    app.before_request(store.check_file_unchanged)
    if settings.control:
        control.install(app, SURFACES, namespace, namespaces, routed_path)
    return app, refusals


def _watched(
    app: Flask,
    door: NamespaceMiddleware | MultiNamespaceMiddleware,
    refusals: ErrorHandlers,
    observers: Sequence[Observer],
) -> Flask:
    health = HealthMiddleware(door, app.extensions["sessionary"], refusals)
    watch, trusted = (
        RequestIdMiddleware(health, refusals, observers),
        app.config["SESSIONARY"].trusted_proxy,
    )
    outermost = TrustedProxyMiddleware(watch, networks(trusted)) if trusted else watch
    app.wsgi_app = outermost  # type: ignore[method-assign]
    return app


def welcome(keys: Iterable[NewKey], url: str) -> str:
    """What the first start says: each surface's key, and a curl line that works when pasted."""
    secrets = {key.surface: key.secret for key in keys}
    lines = ["The first keys, shown once and stored hashed:"]
    lines += [f"  {name:<11} {secret}" for name, secret in secrets.items()]
    calls = [each.example.format(url=url, key=secrets[each.name]) for each in SURFACES]
    return "\n".join([*lines, "Try one:", *(f"  curl {call}" for call in calls)])


def _mount(app: Flask, surface: Surface) -> None:
    described = Blueprint(f"{surface.name}_openapi", __name__)

    @cache
    def document() -> dict[str, Any]:
        from sessionary.web.openapi import describe

        return describe(app, surface)

    @described.get("/openapi.json")
    def openapi() -> Response:
        return answer(document())

    for blueprint in (*surface.blueprints, described):
        app.register_blueprint(blueprint, url_prefix=f"/{surface.name}")
    at_root = [*surface.root_blueprints, *([described] if surface.openapi_at_root else [])]
    for blueprint in at_root:
        app.register_blueprint(blueprint, name=f"{blueprint.name}_root")
