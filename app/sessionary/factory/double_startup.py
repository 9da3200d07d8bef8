"""Startup of a double: the default namespace, and the template of all others."""

from collections.abc import Sequence

from sessionary import clock, control, store
from sessionary.clock import SECOND
from sessionary.factory.startup import (
    add_rate_limits,
    apply_settings,
    make_schema,
    open_namespace,
    read_seed,
)
from sessionary.settings import Settings
from sessionary.store import NamespaceHooks, Namespaces
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface


def prepare_double(settings: Settings, surfaces: Sequence[Surface] = SURFACES) -> Namespaces:
    """The namespaces of a double, the default one included. Raises as `prepare` does."""
    contents = _Contents(settings, surfaces)
    default = open_namespace(settings, contents.schema)
    if settings.db == ":memory:":
        default.restore(contents.template())
    with store.with_file_name(settings.db), default.activate():
        contents.write()
        default.has_undo_log = True
    store.ensure_writable(default)
    hooks = contents.template, clock.restart, control.clear_journal, contents.complete
    return Namespaces(default, NamespaceHooks(*hooks), maximum=settings.max_namespaces)


class _Contents:
    """The contents of a double's namespaces.

    With a seed the template is at most a second old, so that the seed's `*_ago` are right.
    """

    def __init__(self, settings: Settings, surfaces: Sequence[Surface]) -> None:
        self._settings = settings
        self._surfaces = surfaces
        self.schema = make_schema(surfaces)
        self._template = b""
        self._made_at = 0

    def write(self) -> None:
        """Write tables, seed and clock into the active namespace, then enable its undo log."""
        seed = read_seed(self._settings)
        self._create_tables()
        apply_settings(self._settings, seed, self._surfaces)
        store.undo_log.enable(self.schema.session_columns)

    def complete(self) -> None:
        """Check and prepare a file: migrate it, empty its journal, enable its undo log."""
        store.ensure_sound(store.current_namespace().connection(), self.schema)
        self._create_tables()
        control.clear_journal()
        store.undo_log.enable(self.schema.session_columns)

    def template(self) -> bytes:
        """The database of a new namespace."""
        now = clock.wall()
        is_fresh = self._settings.seed is None or 0 <= now - self._made_at < SECOND
        if not (self._template and is_fresh):
            self._made_at, self._template = now, self._make_template()
        return self._template

    def _make_template(self) -> bytes:
        namespace = store.memory_namespace()
        try:
            with namespace.activate():
                self.write()
            return namespace.contents()
        finally:
            namespace.close()

    def _create_tables(self) -> None:
        store.migrate(self.schema)
        store.create_tables(control.TABLES)
        add_rate_limits(self._settings)
