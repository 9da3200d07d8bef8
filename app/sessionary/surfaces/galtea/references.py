"""What sessions refer to: versions, products, test cases and tests, stored or assumed to exist.

Assumed: any id exists; under the setting `galtea_references = strict`, only those that were seeded
or made by default.
"""

from typing import Any, NamedTuple

from sessionary import clock, ids
from sessionary.surfaces.galtea import errors, models, rules
from sessionary.surfaces.galtea.models import NONE, PARENTS, ReferenceRow, SessionRow
from sessionary.surfaces.galtea.queries import references as queries
from sessionary.web import json_codec

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class References(NamedTuple):
    """The references that one organization sees."""

    organization: str
    is_strict: bool

    def all(self, kind: str, wanted: list[str]) -> list[ReferenceRow]:
        """One row for each distinct id, in the given order; strict mode leaves out unknown ids."""
        wanted = list(dict.fromkeys(wanted))
        as_json = json_codec.encode(wanted)
        rows = queries.by_ids.all(kind=kind, ids=as_json, organization=self.organization)
        found = {row.id: row for row in rows}
        if len(found) == len(wanted) or self.is_strict:
            return [found[id] for id in wanted if id in found]
        began_at = clock.state().began_at
        return [found.get(id) or assume(kind, id, began_at) for id in wanted]

    def one(self, kind: str, id: str) -> ReferenceRow:
        """This id's row. Raises NotFound in strict mode for an unknown one."""
        for row in self.all(kind, [id]):
            return row
        raise errors.NotFound(kind.capitalize(), [id])

    def latest_version(self, product: str, at: int) -> ReferenceRow:
        """The product's version that was created last; makes `v1` if it has none. Source: client.

        Assumed: the name v1. Call it inside a transaction.
        """
        self.one(models.PRODUCT, product)
        found = queries.latest_version.one(product=product, organization=self.organization)
        if found is not None:
            return found
        id = f"version_{ids.word(24, LETTERS)}"
        row = ReferenceRow(models.VERSION, id, self.organization, product, "v1", None, at)
        queries.insert.run(**row._asdict())
        return row

    def make_row(self, fields: dict[str, Any], version: ReferenceRow, **facts: Any) -> SessionRow:
        """Make a session's row; see `make_row`. Raises NotFound for its test case."""
        test_case = fields["test_case"] and self.one(models.TEST_CASE, fields["test_case"])
        return make_row(fields, self.organization, version, test_case, **facts)


def assume(kind: str, id: str, created_at: int) -> ReferenceRow:
    """A reference that is not stored."""
    parent = f"{PARENTS[kind]}_{'0' * 24}" if kind in PARENTS else NONE
    return ReferenceRow(kind, id, None, parent, id, None, created_at)


def make_row(
    fields: dict[str, Any],
    organization: str,
    version: ReferenceRow,
    test_case: ReferenceRow | None,
    **facts: Any,
) -> SessionRow:
    """A session's row: its test case, if it has one, gives its test and context. Source: page.

    `fields` are a loaded body or seed row, `facts` all other columns.
    """
    status = fields["status"] or rules.PENDING
    return SessionRow(
        organization=organization,
        custom_id=fields["custom_id"],
        version=version.id,
        product=version.parent,
        test_case=fields["test_case"],
        test=test_case.parent if test_case else NONE,
        run=fields["run"],
        context=test_case.context if test_case else to_json_text(fields["context"]),
        metadata=to_json_text(fields["metadata"]),
        status=status,
        expires_at=rules.deadline(status, facts["written_at"], facts["auto_close_minutes"]),
        **facts,
    )


def to_json_text(value: Any) -> Any:
    """An object as JSON text, anything else unchanged."""
    return json_codec.encode(value) if isinstance(value, dict) else value
