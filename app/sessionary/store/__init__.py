"""The only room that knows the engine: namespaces, connections, transactions and statements.

A namespace is one SQLite database. Code that runs between `namespace.activate()` and its end
works on that namespace; the models are declared once and never bound to a database.
"""

from sessionary.store import undo_log
from sessionary.store.absence import ensure_not_in_use
from sessionary.store.backup import Progress, back_up, backup_target, restore
from sessionary.store.batches import run_batch, run_in_batches
from sessionary.store.database import (
    DEFAULT,
    Model,
    Namespace,
    NamespaceClosed,
    check_file_unchanged,
    has_undo_log,
    memory_namespace,
    open_namespace,
    read_transaction,
    report_outage,
    transaction,
)
from sessionary.store.errors import (
    DatabaseUnavailable,
    DatabaseUnusable,
    is_unavailable,
    with_file_name,
)
from sessionary.store.export import BadExport, export_lines, import_lines, row_count
from sessionary.store.integrity import Finding, check, version
from sessionary.store.namespaces import (
    BadName,
    NamespaceExists,
    NamespaceHooks,
    Namespaces,
    NoSuchNamespace,
    TooManyNamespaces,
)
from sessionary.store.readiness import check_writable
from sessionary.store.rehearsal import dry_run
from sessionary.store.schema import add, create, schema_version
from sessionary.store.size import size_bytes
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
from sessionary.store.transactions import fleeting

__all__ = [
    "DEFAULT",
    "BadExport",
    "BadName",
    "DatabaseUnavailable",
    "DatabaseUnusable",
    "Finding",
    "Model",
    "Namespace",
    "NamespaceClosed",
    "NamespaceExists",
    "NamespaceHooks",
    "Namespaces",
    "NoSuchNamespace",
    "Progress",
    "Statement",
    "TooManyNamespaces",
    "add",
    "back_up",
    "backup_target",
    "check",
    "check_file_unchanged",
    "check_writable",
    "count_if",
    "count_statement",
    "create",
    "dry_run",
    "ensure_not_in_use",
    "export_lines",
    "fleeting",
    "has_undo_log",
    "import_lines",
    "insert_statement",
    "is_unavailable",
    "memory_namespace",
    "open_namespace",
    "param",
    "param_list",
    "read_transaction",
    "report_outage",
    "restore",
    "row_count",
    "rowid",
    "run_batch",
    "run_in_batches",
    "schema_version",
    "size_bytes",
    "transaction",
    "undo_log",
    "upsert",
    "version",
    "with_file_name",
]
