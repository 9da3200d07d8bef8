"""Statements over what calls left on allocated devices."""

from sessionary.store import Statement, param, param_list
from sessionary.surfaces.mobilenext.models import Fact, FactRow

_COLUMNS = [getattr(Fact, name) for name in FactRow._fields]

of_allocations = Statement(
    FactRow._make,
    lambda: (
        Fact.select(*_COLUMNS)
        .where(Fact.allocation.in_(param_list("allocations")))
        .order_by(Fact.allocation, Fact.name)
    ),
)
put = Statement(
    tuple,
    lambda: Fact.insert({name: param(name) for name in FactRow._fields}).on_conflict(
        conflict_target=[Fact.allocation, Fact.name],
        preserve=[Fact.value, Fact.call, Fact.set_at],
    ),
)
delete = Statement(
    tuple,
    lambda: Fact.delete().where(Fact.allocation == param("allocation"), Fact.name == param("name")),
)
