"""The production server, embedded, so that one command starts everything."""

from collections.abc import Callable

from sessionary import logs
from sessionary.factory import prepare
from sessionary.server.notice import Notice, prove_free
from sessionary.settings import BadSetting, Settings
from sessionary.store import World

Run = Callable[[Settings, World, Notice], None]


def serve(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM, which finishes what is in flight, and leave with 0.

    Raises BadSetting, notice.CannotListen, store.Unusable and seed.BadSeed before anything listens.
    """
    if settings.db == ":memory:":
        raise BadSetting("db :memory: cannot be shared with worker processes: name a file")
    run = _runner(settings.server)
    prove_free(settings.host, settings.port)
    logs.configure(settings.log_format)
    prepared = prepare(settings)
    prepared.world.close()  # its connections must not be inherited by the workers
    run(settings, prepared.world, Notice(settings, prepared.first_keys, say))


def _runner(server: str) -> Run:
    if server == "gunicorn":
        from sessionary.server import gunicorn

        return gunicorn.run
    try:
        from sessionary.server import granian
    except ModuleNotFoundError as error:
        raise BadSetting(
            "server granian is not installed: it comes with the extra, sessionary[granian]"
        ) from error
    return granian.run
