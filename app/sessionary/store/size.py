"""How much room a namespace takes."""

from pathlib import Path

from sessionary.store.database import Namespace


def size_bytes(namespace: Namespace) -> int:
    """How large the database of the active namespace is, with its journal."""
    if namespace.database.file is None:
        (size,) = namespace.database.run(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
        return int(size)
    file = Path(str(namespace.database.database))
    journal = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (journal.stat().st_size if journal.exists() else 0)
