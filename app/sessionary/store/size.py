"""How much room a world takes."""

from pathlib import Path

from sessionary.store.database import World


def size_bytes(world: World) -> int:
    """How large the database of an entered world is, with its journal."""
    if world.database.file is None:
        (size,) = world.database.run(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchone()
        return int(size)
    file = Path(str(world.database.database))
    journal = file.with_name(f"{file.name}-wal")
    return file.stat().st_size + (journal.stat().st_size if journal.exists() else 0)
