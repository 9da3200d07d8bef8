"""The namespaces of a double, ready to be served."""

from sessionary import clock, control, store
from sessionary.clock import SECOND
from sessionary.factory.startup import (
    TABLES,
    add_guard,
    begin,
    first_rows,
    open_namespace,
    read_seed,
)
from sessionary.settings import Settings
from sessionary.store import NamespaceHooks, Namespaces
from sessionary.surfaces import SURFACES

_HISTORY = {
    surface.name: {table: surface.sessions.session_columns.get(table) for table in surface.tables}
    for surface in SURFACES
}


def prepare_double(settings: Settings) -> Namespaces:
    """The namespaces of a double, with the default one made. Raises as `prepare` does."""
    template = _Template(settings)
    default = open_namespace(settings)
    if settings.db == ":memory:":
        default.restore(template())
    with store.with_file_name(settings.db), default.activate():
        _fill(settings)
        default.has_undo_log = True
    hooks = NamespaceHooks(template, clock.restart, control.forget_calls, lambda: _adopt(settings))
    return Namespaces(default, hooks, maximum=settings.max_namespaces)


def _fill(settings: Settings) -> None:
    """Bring the active namespace to what a double needs; its history begins behind the seed."""
    document = read_seed(settings)
    store.migrate(TABLES, first_rows)
    control.create_tables()
    add_guard(settings)
    begin(settings, document)
    store.undo_log.enable(_HISTORY)


def _adopt(settings: Settings) -> None:
    """Bring a namespace whose contents come from elsewhere to what a double needs."""
    store.migrate(TABLES, first_rows)
    control.create_tables()
    add_guard(settings)
    control.forget_calls()
    store.undo_log.enable(_HISTORY)


class _Template:
    """What a new namespace of a double holds.

    With a seed it is made anew every second, so that what the seed says of the past stays true.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._contents = b""
        self._made_at = 0

    def __call__(self) -> bytes:
        now = clock.wall()
        is_fresh = self._settings.seed is None or 0 <= now - self._made_at < SECOND
        if not (self._contents and is_fresh):
            self._made_at, self._contents = now, self._make()
        return self._contents

    def _make(self) -> bytes:
        namespace = store.memory_namespace()
        try:
            with namespace.activate():
                _fill(self._settings)
            return namespace.contents()
        finally:
            namespace.close()
