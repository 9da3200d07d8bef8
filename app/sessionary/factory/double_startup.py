"""Startup of a double: the default namespace, and the template of all others."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from sessionary import clock, control, ids, store
from sessionary.clock import SECOND
from sessionary.factory.startup import (
    add_rate_limits,
    apply_settings,
    make_schema,
    open_namespace,
    read_seed,
)
from sessionary.seeds import loader
from sessionary.settings import Settings
from sessionary.store import DEFAULT, Namespace, NamespaceHooks, Namespaces, Origin
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface

_AS_SET = Origin(None, None, lambda _: None)


def prepare_double(settings: Settings, surfaces: Sequence[Surface] = SURFACES) -> Namespaces:
    """The namespaces of a double, the default one included. Raises as `prepare` does."""
    settings, run_file = control.prepare_recording(settings)
    contents = _Contents(settings, surfaces)
    default = open_namespace(settings, contents.schema)
    if settings.db == ":memory:":
        default.restore(contents.template())
    with store.with_file_name(settings.db), default.activate():
        contents.write()
    store.ensure_writable(default)
    hooks = NamespaceHooks(
        template=contents.template,
        make=contents.make,
        on_create=clock.restart,
        on_copy=control.clear_journal,
        on_restore=contents.complete,
    )
    namespaces = Namespaces(default, hooks, maximum=settings.max_namespaces)
    if run_file is not None:
        namespaces.begin_again(DEFAULT, _AS_SET)
        control.record_default(namespaces, settings, surfaces, run_file)
    return namespaces


class _Contents:
    """The contents of a double's namespaces.

    With a seed the template is at most a second old, so that the seed's `*_ago` are right.
    """

    def __init__(self, settings: Settings, surfaces: Sequence[Surface]) -> None:
        self._settings = settings
        self._surfaces = surfaces
        self.schema = make_schema(surfaces)
        self._empty = b""
        self._template = b""
        self._made_at = 0

    def write(self) -> None:
        """Write tables with an undo log, seed and clock into the active namespace."""
        seed = read_seed(self._settings)
        self._write_tables()
        self._fill(seed, _AS_SET)

    def make(self, origin: Origin) -> Namespace:
        """Make a namespace. Raises BadSeed, and what `origin.prepare` raises."""
        seed = read_seed(self._settings)
        self._empty = self._empty or self._make(self._write_tables)
        namespace = store.memory_namespace(self._empty)
        try:
            with clock.held():  # the seed is dated from where the clock begins
                with namespace.activate():
                    clock.restart(origin.at)
                    namespace.has_undo_log = True
                    self._fill(seed, origin)
                origin.prepare(namespace)
        except BaseException:
            namespace.close()
            raise
        return namespace

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
            self._made_at, self._template = now, self._make(self.write)
        return self._template

    def _make(self, write: Callable[[], None]) -> bytes:
        with closing(store.memory_namespace()) as namespace:
            with namespace.activate():
                write()
            return namespace.contents()

    def _write_tables(self) -> None:
        self._create_tables()
        store.undo_log.enable(self.schema.session_columns)

    def _fill(self, seed: loader.Document | None, origin: Origin) -> None:
        settings = self._settings
        ids.ensure_seed(origin.ids or settings.ids_seed)  # first: rows of the seed may need ids
        if origin.at is not None:
            settings = replace(settings, clock_rate=None)
        apply_settings(settings, seed, self._surfaces)

    def _create_tables(self) -> None:
        store.migrate(self.schema)
        store.create_tables(control.TABLES)
        add_rate_limits(self._settings)
