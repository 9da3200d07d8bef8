"""The database: namespaces, connections, transactions and statements.

The only package that knows the engine. A namespace is one SQLite database. Code inside
`with namespace.activate():` works on that namespace; the models are declared once and never bound
to a database.
"""

from sessionary.store import undo_log
from sessionary.store.atomic_files import atomic_write, draft_folder
from sessionary.store.backup import Progress, back_up, backup_target, restore
from sessionary.store.batches import run_batch, run_in_batches
from sessionary.store.connections import Database
from sessionary.store.database import (
    DEFAULT,
    Model,
    Namespace,
    NamespaceClosed,
    check_file_unchanged,
    has_undo_log,
    memory_namespace,
    open_namespace,
    report_outage,
    size_bytes,
)
from sessionary.store.errors import (
    DatabaseUnavailable,
    DatabaseUnusable,
    is_unavailable,
    with_file_name,
)
from sessionary.store.export import BadExport, export_lines, import_lines, row_count
from sessionary.store.files import ensure_not_in_use
from sessionary.store.integrity import Finding, file_version, find_problems
from sessionary.store.migrations import Migration, recreate_table
from sessionary.store.namespaces import (
    BadName,
    NamespaceExists,
    NamespaceHooks,
    Namespaces,
    NoSuchNamespace,
    TooManyNamespaces,
)
from sessionary.store.readiness import check_writable
from sessionary.store.schema import Schema, create_tables, migrate
from sessionary.store.statements import (
    Statement,
    count_if,
    count_statement,
    insert_statement,
    param,
    param_list,
    rowid,
    upsert,
)
from sessionary.store.transactions import dry_run, read_transaction, transaction

__all__ = [
    "DEFAULT",
    "BadExport",
    "BadName",
    "Database",
    "DatabaseUnavailable",
    "DatabaseUnusable",
    "Finding",
    "Migration",
    "Model",
    "Namespace",
    "NamespaceClosed",
    "NamespaceExists",
    "NamespaceHooks",
    "Namespaces",
    "NoSuchNamespace",
    "Progress",
    "Schema",
    "Statement",
    "TooManyNamespaces",
    "atomic_write",
    "back_up",
    "backup_target",
    "check_file_unchanged",
    "check_writable",
    "count_if",
    "count_statement",
    "create_tables",
    "draft_folder",
    "dry_run",
    "ensure_not_in_use",
    "export_lines",
    "file_version",
    "find_problems",
    "has_undo_log",
    "import_lines",
    "insert_statement",
    "is_unavailable",
    "memory_namespace",
    "migrate",
    "open_namespace",
    "param",
    "param_list",
    "read_transaction",
    "recreate_table",
    "report_outage",
    "restore",
    "row_count",
    "rowid",
    "run_batch",
    "run_in_batches",
    "size_bytes",
    "transaction",
    "undo_log",
    "upsert",
    "with_file_name",
]
