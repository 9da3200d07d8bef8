"""SQL that says, of a changed row, which statement takes the change back."""

# ruff: noqa: S608 - the names are those of our own tables

from sessionary.store.worlds import Model


def undoing(table: type[Model]) -> dict[str, str]:
    """By event, an expression for a trigger of this table: the text of the inverse statement."""
    meta = table._meta
    name = f'"{meta.table_name}"'
    columns = [f'"{each.column_name}"' for each in meta.sorted_fields]
    keys = [f'"{each.column_name}"' for each in meta.get_primary_keys()]  # type: ignore[no-untyped-call]
    here = "' WHERE " + " AND ".join(f"{key} IS ' || quote(new.{key}) || '" for key in keys) + "'"
    before = " || ', ' || ".join(f"quote(old.{each})" for each in columns)
    changes = ", ".join(f"{each} = ' || quote(old.{each}) || '" for each in columns)
    return {
        "INSERT": f"'DELETE FROM {name}' || {here}",
        "UPDATE": f"'UPDATE {name} SET {changes}' || {here}",
        "DELETE": f"'INSERT INTO {name} ({', '.join(columns)}) VALUES (' || {before} || ')'",
    }
