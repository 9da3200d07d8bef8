"""The only room that knows the engine: worlds, connections, transactions and statements.

A world is one SQLite database. Code that runs between `world.entered()` and its end works on
that world; the models are declared once and never bound to a database.
"""

from sessionary.store import history
from sessionary.store.mishaps import OutOfOrder, is_out_of_order
from sessionary.store.namespaces import (
    BadName,
    Namespaces,
    NoSuchWorld,
    TooManyWorlds,
    Ways,
    WorldExists,
)
from sessionary.store.schema import Unusable, add, create, schema_version
from sessionary.store.statements import Statement, given, given_list, insertion, place_in, put
from sessionary.store.worlds import (
    DEFAULT,
    Gone,
    Model,
    World,
    keeps_history,
    memory_world,
    open_world,
    prove_there,
    refused,
    snapshot,
    transaction,
)

__all__ = [
    "DEFAULT",
    "BadName",
    "Gone",
    "Model",
    "Namespaces",
    "NoSuchWorld",
    "OutOfOrder",
    "Statement",
    "TooManyWorlds",
    "Unusable",
    "Ways",
    "World",
    "WorldExists",
    "add",
    "create",
    "given",
    "given_list",
    "history",
    "insertion",
    "is_out_of_order",
    "keeps_history",
    "memory_world",
    "open_world",
    "place_in",
    "prove_there",
    "put",
    "refused",
    "schema_version",
    "snapshot",
    "transaction",
]
