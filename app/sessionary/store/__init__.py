"""The only room that knows the engine: namespaces, connections, transactions and statements.

A namespace is one SQLite database. Code that runs between `namespace.entered()` and its end
works on that namespace; the models are declared once and never bound to a database.
"""

from sessionary.store import undo_log
from sessionary.store.absence import prove_not_missed
from sessionary.store.backup import Progress, back_up, restore, written
from sessionary.store.batches import in_short_turns, short_turn
from sessionary.store.database import (
    DEFAULT,
    Gone,
    Model,
    Namespace,
    keeps_history,
    memory_namespace,
    open_namespace,
    prove_there,
    refused,
    snapshot,
    transaction,
)
from sessionary.store.errors import OutOfOrder, Unusable, is_out_of_order, naming
from sessionary.store.export import BadExport, export_lines, import_lines, row_count
from sessionary.store.integrity import Finding, check, version
from sessionary.store.namespaces import (
    BadName,
    NamespaceExists,
    Namespaces,
    NoSuchNamespace,
    TooManyNamespaces,
    Ways,
)
from sessionary.store.readiness import prove_ready
from sessionary.store.rehearsal import rehearsal
from sessionary.store.schema import add, create, schema_version
from sessionary.store.size import size_bytes
from sessionary.store.statements import (
    Statement,
    counting,
    given,
    given_list,
    how_many,
    insertion,
    place_in,
    put,
)
from sessionary.store.transactions import fleeting

__all__ = [
    "DEFAULT",
    "BadExport",
    "BadName",
    "Finding",
    "Gone",
    "Model",
    "Namespace",
    "NamespaceExists",
    "Namespaces",
    "NoSuchNamespace",
    "OutOfOrder",
    "Progress",
    "Statement",
    "TooManyNamespaces",
    "Unusable",
    "Ways",
    "add",
    "back_up",
    "check",
    "counting",
    "create",
    "export_lines",
    "fleeting",
    "given",
    "given_list",
    "how_many",
    "import_lines",
    "in_short_turns",
    "insertion",
    "is_out_of_order",
    "keeps_history",
    "memory_namespace",
    "naming",
    "open_namespace",
    "place_in",
    "prove_not_missed",
    "prove_ready",
    "prove_there",
    "put",
    "refused",
    "rehearsal",
    "restore",
    "row_count",
    "schema_version",
    "short_turn",
    "size_bytes",
    "snapshot",
    "transaction",
    "undo_log",
    "version",
    "written",
]
