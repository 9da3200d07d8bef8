"""The application factory: builds the Flask application and the WSGI middleware around it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from flask import Blueprint, Flask, request
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from sessionary import clock, store
from sessionary.factory.auto_prune import AutoPrune
from sessionary.factory.error_handlers import ErrorHandlers
from sessionary.factory.flask_app import SessionaryFlask
from sessionary.factory.health_middleware import HealthMiddleware
from sessionary.factory.message_middleware import MessageMiddleware
from sessionary.factory.namespace_middleware import (
    Application,
    NamespaceMiddleware,
    Serve,
    handle_outages,
    in_namespace,
    make_routed_path,
)
from sessionary.factory.proxy_middleware import TrustedProxyMiddleware
from sessionary.factory.request_id_middleware import RequestIdMiddleware
from sessionary.factory.startup import SCHEMA as SCHEMA
from sessionary.factory.startup import Prepared as Prepared
from sessionary.factory.startup import find_version as find_version
from sessionary.factory.startup import open_to_read as open_to_read
from sessionary.factory.startup import prepare as prepare
from sessionary.factory.startup import welcome as welcome
from sessionary.settings import DOUBLE, SERVER, Settings, networks
from sessionary.store import DEFAULT, Namespace, Namespaces
from sessionary.surfaces import SURFACES
from sessionary.web import spool
from sessionary.web.as_of import HEADER
from sessionary.web.context import read_instant
from sessionary.web.events import Observer
from sessionary.web.held import LOAD, LOADED_AT, READS
from sessionary.web.operations import Invalid, answer
from sessionary.web.route_table import RouteTable
from sessionary.web.surface import Surface, declared_settings


def make_settings(*, surfaces: Sequence[Surface] = SURFACES, **values: Any) -> Settings:
    """Settings from flat names, those of vendors included. Raises BadSetting."""
    return Settings.make(declared_settings(surfaces), **values)


def load_settings(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    *,
    surfaces: Sequence[Surface] = SURFACES,
) -> Settings:
    """Settings from flags, the environment and the settings file. Raises BadSetting."""
    return Settings.load(declared_settings(surfaces), flags, environ, defaults)


def create_app(
    settings: Settings | None = None,
    namespace: Namespace | None = None,
    *observers: Observer,
    surfaces: Sequence[Surface] = SURFACES,
) -> Flask:
    """The WSGI application of a server, on the database of its settings or a prepared namespace.

    Each observer is called after each response. A strict application on an empty database prints
    its first keys once. Raises BadSetting, store.DatabaseUnusable and BadSeed.
    """
    settings = (settings or Settings()).with_defaults(declared_settings(surfaces))
    if settings.control:
        from sessionary import control

        control.check_server(settings)
    if namespace is None:
        prepared = prepare(settings, surfaces)
        namespace = prepared.namespace
        if prepared.first_keys:
            url = f"http://{settings.host}:{settings.port}"
            print(welcome(prepared.first_keys, url, surfaces))
    if settings.prune_ended_days is not None:
        auto_prune = AutoPrune(namespace, settings.prune_ended_days, surfaces)
        observers = (*observers, auto_prune.on_request_finished)
    builder = _Builder(settings, surfaces, namespace, None, observers)
    wsgi = NamespaceMiddleware(
        builder.serve(), namespace, builder.error_handlers, builder.routed_path
    )
    return builder.finish(wsgi)


def create_double(
    settings: Settings | None = None, *observers: Observer, surfaces: Sequence[Surface] = SURFACES
) -> Flask:
    """The WSGI application of a test double: many namespaces, and the control plane.

    Raises as `create_app` does.
    """
    from sessionary import control
    from sessionary.control.access import WebPageGuard, cors_origins, is_loopback
    from sessionary.factory.double_middleware import (
        CorsMiddleware,
        MultiNamespaceMiddleware,
        WebPageMiddleware,
    )
    from sessionary.factory.double_startup import prepare_double

    settings = (settings or Settings(**DOUBLE)).with_defaults(declared_settings(surfaces))
    control.check_double(settings)
    settings.ensure_used_by("a double", SERVER)
    namespaces = prepare_double(settings, surfaces)
    builder = _Builder(settings, surfaces, namespaces.find(DEFAULT), namespaces, observers)
    handlers, path = builder.error_handlers, builder.routed_path
    wsgi = MultiNamespaceMiddleware(
        builder.serve(), namespaces, handlers, path, surfaces, settings.max_body_bytes
    )
    guard, origins = WebPageGuard(settings), cors_origins(settings)

    def add_guards(inner: Application) -> Application:
        inner = CorsMiddleware(inner, origins, handlers, path, builder.routes) if origins else inner
        if not is_loopback(settings.host):
            return inner
        return WebPageMiddleware(inner, guard, handlers, path)

    return builder.finish(wsgi, add_guards)


def _prepare_database() -> None:
    """Check the file; limit what a thread reads that others wait for.

    Raises LargeResponseRefused for a large response that has waited too long for others.
    """
    store.check_file_unchanged()
    if LOAD in request.environ:
        spool.check_waiting_time(request.environ.get(LOADED_AT))
    elif request.method in READS:
        store.limit_reads(True)


def _end_limit(_: BaseException | None) -> None:
    store.limit_reads(False)


class _MatchOnlyRule(Rule):
    """A rule that builds no URLs: compiling the function for it takes most of a rule's time."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: ARG002
        return _refuse_to_build


def _refuse_to_build(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError("no URL is built from a rule")


class _Builder:
    """A Flask application with all routes; `serve` and `finish` add what goes around it."""

    def __init__(
        self,
        settings: Settings,
        surfaces: Sequence[Surface],
        namespace: Namespace,
        namespaces: Namespaces | None,
        observers: Sequence[Observer],
    ) -> None:
        self._settings = settings
        self._namespace = namespace
        self._observers = observers
        self._is_double = namespaces is not None
        self.routed_path = make_routed_path(surfaces)
        self._app = app = _make_flask(settings, namespace)
        mounted = tuple(surfaces)
        if settings.control:
            from sessionary import control

            mounted = (*mounted, control.surface)
        for surface in mounted:
            _mount(app, surface)
        self.routes = routes = RouteTable(app, mounted)
        self.error_handlers = ErrorHandlers(app, routes)
        app.wsgi_app = self.error_handlers.refusing(app.wsgi_app)  # type: ignore[method-assign]
        if observers or settings.control:
            app.before_request(routes.note_match)
        app.before_request(_prepare_database)
        app.teardown_request(_end_limit)
        if settings.control:
            control.install(app, surfaces, routes, namespace, namespaces, self.routed_path)

    def serve(self) -> Serve:
        """The application in a namespace, with the control plane around it if that is on."""
        if not self._settings.control:
            reads_write = self._settings.rate_limit is not None
            serve = in_namespace(self._app.wsgi_app, reads_write=reads_write)
            return handle_outages(serve, self.error_handlers)
        from sessionary import control

        return handle_outages(control.ControlMiddleware(self._app), self.error_handlers)

    def finish(
        self,
        namespace_middleware: Application,
        add_guard: Callable[[Application], Application] = lambda inner: inner,
    ) -> Flask:
        """Add the other middleware, outermost last."""
        wsgi = namespace_middleware
        if self._settings.control:
            from sessionary.control.console import ConsoleMiddleware

            wsgi = ConsoleMiddleware(wsgi)
        wsgi = add_guard(HealthMiddleware(wsgi, self._namespace, self.error_handlers))
        max_bytes = self._settings.max_body_bytes if self._is_double else -1
        wsgi = MessageMiddleware(wsgi, self.error_handlers.surface, max_http_bytes=max_bytes)
        wsgi = RequestIdMiddleware(wsgi, self.error_handlers, self._observers)
        if self._settings.trusted_proxy:
            wsgi = TrustedProxyMiddleware(wsgi, networks(self._settings.trusted_proxy))
        self._app.wsgi_app = wsgi  # type: ignore[method-assign]
        return self._app


def _make_flask(settings: Settings, namespace: Namespace) -> Flask:
    app = SessionaryFlask(
        "sessionary",
        static_folder=None,
        template_folder=None,
        instance_path=str(Path(settings.db).absolute().parent),
    )
    app.config["SESSIONARY"] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_rule_class = _MatchOnlyRule
    routes = app.url_map
    routes.merge_slashes = routes.strict_slashes = routes.redirect_defaults = False
    app.extensions["sessionary"] = namespace
    return app


def _mount(app: Flask, surface: Surface) -> None:
    described = Blueprint(f"{surface.name}_openapi", __name__)

    @cache
    def document() -> dict[str, Any]:
        from sessionary.web.openapi import describe

        return describe(app, surface)

    @described.errorhandler(Invalid)
    def handle_invalid(invalid: Invalid) -> Response:
        response = answer(surface.error_body(400, f"{HEADER}: {invalid}"), 400)
        response.content_type = surface.error_content_type
        return response

    @described.get("/openapi.json")
    def openapi() -> Response:
        read_instant(clock.now())  # the same at every instant, but it must be one
        return answer(document() | {"servers": [{"url": f"{request.script_root}/{surface.name}"}]})

    for blueprint in (*surface.blueprints, described):
        app.register_blueprint(blueprint, url_prefix=f"/{surface.name}")
    at_root = [*surface.root_blueprints, *([described] if surface.openapi_at_root else [])]
    for blueprint in at_root:
        app.register_blueprint(blueprint, name=f"{blueprint.name}_root")
