"""The production server, embedded, so that one command starts everything."""

from collections.abc import Callable, Sequence
from functools import partial

from flask import Flask

from sessionary import logs, metrics
from sessionary.factory import create_app, prepare, welcome
from sessionary.identity import NewKey
from sessionary.metrics import Metrics
from sessionary.server import tls
from sessionary.server.ready_notice import Notice, prove_free, prove_tellable
from sessionary.server.telling import serve_metrics, tells, whereabouts
from sessionary.settings import BadSetting, Settings
from sessionary.store import Namespace

Load = Callable[[], Flask]
_UNHEARD = "the first keys are lost, `sessionary keys create` makes others"


def serve(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM, which finishes what is in flight, and leave with 0.

    Raises BadSetting, notice.CannotListen, notice.CannotTell, store.Unusable and seed.BadSeed
    before anything listens.
    """
    if settings.db == ":memory:":
        raise BadSetting("db :memory: cannot be shared with worker processes: name a file")
    if settings.control:
        from sessionary import control

        control.check_server(settings)
    from sessionary.server import gunicorn  # a double, which imports this package, needs none

    tls.context(settings)
    prove_free(settings.host, settings.port)
    prove_tellable(settings.ready_file)  # before there are keys, which are told only once
    logs.configure(settings.log_format)
    with metrics.opened(settings.metrics) as numbers:
        prepared = prepare(settings)
        prepared.namespace.disconnect()  # its connections must not be inherited by the workers
        load = partial(_application, settings, prepared.namespace, numbers)
        keys = prepared.first_keys
        more = partial(_more, keys, numbers)
        gunicorn.run(settings, load, Notice(settings, say, more, _UNHEARD if keys else None))


def _application(settings: Settings, namespace: Namespace, numbers: Metrics | None) -> Flask:
    """What a worker serves."""
    app = create_app(settings, namespace, *tells(settings, numbers))
    serve_metrics(numbers, app)
    return app


def _more(keys: Sequence[NewKey], numbers: Metrics | None, url: str) -> str:
    """What people are told besides the address."""
    return "\n".join([*whereabouts(numbers), *([welcome(keys, url)] if keys else [])])
