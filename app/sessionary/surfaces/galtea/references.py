"""What sessions refer to: versions, products, test cases and tests, known here or on trust.

They are not this product's business. Assumed: by default any id is somebody's; under the setting
`galtea_references = strict` only those that were seeded, or made by default, exist.
"""

from typing import NamedTuple

from sessionary import clock, ids
from sessionary.surfaces.galtea import errors, models
from sessionary.surfaces.galtea.models import NONE, PRODUCT, TEST, TEST_CASE, VERSION, ParentRow
from sessionary.web import json_codec

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_NOBODY = "0" * 24
# The parent of what is not known here.
UNKNOWN = {VERSION: f"product_{_NOBODY}", TEST_CASE: f"test_{_NOBODY}", PRODUCT: NONE, TEST: NONE}
_NAMES = {VERSION: "Version", PRODUCT: "Product", TEST_CASE: "Test case", TEST: "Test"}


class Parents(NamedTuple):
    """What one organization sees of them."""

    organization: str
    is_strict: bool

    def all(self, kind: str, asked: list[str]) -> list[ParentRow]:
        """Each id's row, in the order of asking, once; in strict mode the unknown are left out."""
        wanted = list(dict.fromkeys(asked))
        rows = models.parents.all(
            kind=kind, ids=json_codec.encode(wanted), organization=self.organization
        )
        found = {row.id: row for row in rows}
        if len(found) == len(wanted) or self.is_strict:
            return [found[id] for id in wanted if id in found]
        began_at = clock.state().began_at
        return [found.get(id) or _on_trust(kind, id, began_at) for id in wanted]

    def one(self, kind: str, id: str) -> ParentRow:
        """This id's row. Raises Missing in strict mode for an unknown one."""
        for row in self.all(kind, [id]):
            return row
        raise errors.Missing(_NAMES[kind], [id])

    def latest_version(self, product: str, at: int) -> ParentRow:
        """The product's version that was created last; made now if it has none. Source: client.

        Assumed: the one made by default is called v1. Call inside a transaction.
        """
        self.one(PRODUCT, product)
        found = models.latest_version.one(product=product, organization=self.organization)
        if found is not None:
            return found
        made = ParentRow(
            kind=VERSION,
            id=f"version_{ids.word(24, LETTERS)}",
            organization=self.organization,
            parent=product,
            name="v1",
            context=None,
            created_at=at,
        )
        models.insert_parent.run(**made._asdict())
        return made


def _on_trust(kind: str, id: str, began_at: int) -> ParentRow:
    return ParentRow(kind, id, None, UNKNOWN[kind], id, None, began_at)
