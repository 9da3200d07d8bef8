"""Statements on versions, products, test cases and tests."""

from sessionary.store import Statement, insert_statement, param, param_list
from sessionary.surfaces.galtea.models import VERSION, Reference, ReferenceRow

_COLUMNS = [getattr(Reference, name) for name in ReferenceRow._fields]
_is_visible = Reference.organization.is_null() | (Reference.organization == param("organization"))

by_ids = Statement(
    ReferenceRow._make,
    lambda: Reference.select(*_COLUMNS).where(
        Reference.kind == param("kind"), Reference.id.in_(param_list("ids")), _is_visible
    ),
)
insert = insert_statement(Reference, without=("seq",))
latest_version = Statement(
    ReferenceRow._make,
    lambda: (
        Reference.select(*_COLUMNS)
        .where(Reference.kind == VERSION, Reference.parent == param("product"), _is_visible)
        .order_by(Reference.created_at.desc(), Reference.seq.desc())
        .limit(1)
    ),
)
