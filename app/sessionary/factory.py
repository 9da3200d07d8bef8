"""create_app: the only room that knows all rooms."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Flask, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from sessionary import clock, identity, ids, seed, store
from sessionary.clock import Clock
from sessionary.identity import NewKey, Unknown
from sessionary.ids import Mint
from sessionary.logs import RequestLog
from sessionary.settings import Settings
from sessionary.store import World
from sessionary.surfaces import SURFACES
from sessionary.wire.operation import answer
from sessionary.wire.surface import Surface

_log = logging.getLogger("sessionary")

TABLES: tuple[type[store.Model], ...] = (
    Clock,
    Mint,
    seed.Seeded,
    *identity.TABLES,
    *(table for surface in SURFACES for table in surface.tables),
)
_BY_SEGMENT = {
    segment: surface for surface in SURFACES for segment in (surface.name, *surface.root_segments)
}
_SAID = {
    400: "The request could not be understood.",
    401: "Not authenticated",
    404: "There is nothing at this path.",
    405: "This path does not take this method.",
    413: "The request body is too large.",
    500: "Internal server error",
    503: "The database is busy or cannot be written; nothing was changed. Try again.",
}


@dataclass(frozen=True)
class Prepared:
    """A world that is ready to be served, and the keys that its first start made."""

    world: World
    first_keys: tuple[NewKey, ...]


def prepare(settings: Settings) -> Prepared:
    """Open the database, bring it to this program's schema, apply the seed, make the first keys.

    Safe when several processes do it at once. Raises store.Unusable and seed.BadSeed.
    """
    world = store.open_world(
        settings.db,
        durability=settings.durability,
        busy_timeout_seconds=settings.busy_timeout_seconds,
    )
    with world.entered():
        store.create(TABLES, _first_rows)
        if settings.seed is not None:
            seed.apply(seed.read(Path(settings.seed)), SURFACES)
        if settings.clock_rate is not None:
            clock.put("scaled", rate=settings.clock_rate)
        first_keys = _first_keys() if settings.auth == "strict" else ()
    return Prepared(world, first_keys)


def _first_rows() -> None:
    clock.start()
    ids.start()
    for surface in SURFACES:
        if surface.first_rows is not None:
            surface.first_rows()


def _first_keys() -> tuple[NewKey, ...]:
    with store.transaction():
        if identity.has_keys():
            return ()
        user = identity.owner()
        return tuple(
            identity.create_key(surface.key_prefix, user=user, surface=surface.name)
            for surface in SURFACES
        )


def create_app(
    settings: Settings | None = None, world: World | None = None, log: RequestLog | None = None
) -> Flask:
    """The WSGI application on a prepared world; without one, on the world of the settings.

    `log` is told of each request: method, path, status and how many milliseconds it took.
    A strict application on an empty database prints its first keys once.
    """
    settings = settings or Settings()
    if world is None:
        prepared = prepare(settings)
        world = prepared.world
        if prepared.first_keys:
            print(welcome(prepared.first_keys, f"http://{settings.host}:{settings.port}"))
    app = Flask(
        "sessionary",
        static_folder=None,
        template_folder=None,
        instance_path=str(Path(settings.db).absolute().parent),
    )
    app.config["SESSIONARY"] = settings
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    for surface in SURFACES:
        _mount(app, surface)
    app.register_error_handler(Unknown, _unknown)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)
    app.extensions["sessionary"] = world
    app.wsgi_app = _Door(app.wsgi_app, world, log)  # type: ignore[method-assign]
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
        from sessionary.wire.openapi import describe

        return describe(app, surface)

    @described.get("/openapi.json")
    def openapi() -> Response:
        return answer(document())

    for blueprint in (*surface.blueprints, described):
        app.register_blueprint(blueprint, url_prefix=f"/{surface.name}")
    at_root = [*surface.root_blueprints, *([described] if surface.openapi_at_root else [])]
    for blueprint in at_root:
        app.register_blueprint(blueprint, name=f"{blueprint.name}_root")


def _surface() -> Surface | None:
    return _BY_SEGMENT.get(request.path.split("/", 2)[1])


def _refusal(status: int, headers: dict[str, str] | None = None) -> Response:
    surface = _surface()
    if surface is None:
        body: dict[str, Any] = {"error": "not_found", "message": _SAID[404]}
        status = 404
    else:
        body = surface.refuse(status, _SAID.get(status, "The request was refused."))
    response = answer(body, status)
    response.headers.update(headers or {})
    return response


def _unknown(_: Unknown) -> Response:
    surface = _surface()
    scheme = surface.security.get("scheme") if surface else None
    return _refusal(401, {"WWW-Authenticate": scheme.title()} if scheme else None)


def _refused(error: HTTPException) -> Response:
    """Of an unrouted path, say first whether the caller may ask at all."""
    surface = _surface()
    if request.url_rule is None and surface is not None:
        try:
            surface.authenticate()
        except Unknown as unknown:
            return _unknown(unknown)
    allowed = error.valid_methods if isinstance(error, MethodNotAllowed) else None
    return _refusal(error.code or 500, {"Allow": ", ".join(sorted(allowed))} if allowed else None)


def _broken(error: Exception) -> Response:
    if store.is_out_of_order(error):
        _log.warning("%s %s: %s", request.method, request.path, error)
        return _refusal(503, {"Retry-After": "1"})
    _log.exception("%s %s failed", request.method, request.path)
    return _refusal(500)


class _Door:
    """The WSGI layer before Flask: one path for each route, and the world for the whole request."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], world: World, log: RequestLog | None
    ) -> None:
        self._application = application
        self._world = world
        self._log = log

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["PATH_INFO"] = path = _path(environ)
        if self._log is None:
            with self._world.entered():
                return self._application(environ, start_response)
        began = time.perf_counter()
        seen = ""

        def start(status: str, *rest: Any) -> Any:
            nonlocal seen
            seen = status[:3]
            return start_response(status, *rest)

        with self._world.entered():
            body = self._application(environ, start)
        took = (time.perf_counter() - began) * 1000
        # Quoted, so that no path can forge a line.
        self._log(environ["REQUEST_METHOD"], quote(path.encode("latin-1")), int(seen), took)
        return body


def _path(environ: dict[str, Any]) -> str:
    path: str = environ["PATH_INFO"]
    if len(path) > 1 and path[-1] == "/" and path[-2] != "/":
        path = path[:-1]
    return "/notte" + path if _is_nottes(environ, path) else path


def _is_nottes(environ: dict[str, Any], path: str) -> bool:
    """Whether a path under `/sessions` at the root is Notte's; every other one is Galtea's."""
    if path != "/sessions" and not path.startswith("/sessions/"):
        return False
    method, parts = environ["REQUEST_METHOD"], path.split("/")
    return (
        "HTTP_X_NOTTE_SDK_VERSION" in environ
        or (method == "POST" and path == "/sessions/start")
        or (method == "DELETE" and len(parts) == 4 and parts[3] == "stop")
    )
