"""Generated rows: every combination of facts that a session can have."""

from typing import Any

from hypothesis import strategies as st

from sessionary.surfaces.galtea import models, rules
from sessionary.surfaces.galtea.models import ReferenceRow, SessionRow

MINUTE = 60_000_000
NOW = 1_772_366_400_000_000
ORGANIZATIONS = ("acme", "zeta")
IDS = ("a", "b", "c")

_few = st.sampled_from(IDS)
_maybe = st.none() | _few
_document = st.none() | st.sampled_from(['{"value":"words"}', "{}", '{"a":[1,"\\ud83d"]}'])
# Around now, with many ties.
_instants = st.integers(-5, 5).map(lambda step: NOW + step * MINUTE)


@st.composite
def sessions(draw: Any, id: str = "session_0") -> SessionRow:
    test_case = draw(_maybe)
    status = draw(st.sampled_from(rules.STATUSES))
    minutes = draw(st.none() | st.integers(1, 5))
    created_at = draw(_instants)
    return SessionRow(
        id=id,
        organization=draw(st.sampled_from(ORGANIZATIONS)),
        custom_id=None,
        version=draw(_few),
        product=draw(_few),
        user=draw(_maybe),
        test_case=test_case,
        test=models.NONE if test_case is None else draw(_few),
        run=draw(_maybe),
        is_production=draw(st.integers(0, 1)),
        context=draw(_document),
        metadata=draw(_document),
        status=status,
        stopping_reason=draw(_maybe),
        error=draw(_maybe),
        created_at=created_at,
        written_at=created_at,
        status_since_at=created_at,
        auto_close_minutes=minutes,
        expires_at=rules.deadline(status, created_at, minutes),
        deleted_at=draw(st.none() | st.just(NOW)),
    )


@st.composite
def tables(draw: Any, most: int = 12) -> list[SessionRow]:
    """Rows of one table: their ids differ, and so do the customIds."""
    rows = [draw(sessions(f"session_{number}")) for number in range(draw(st.integers(0, most)))]
    named = draw(st.sets(st.sampled_from(range(most))))
    return [
        row._replace(custom_id=f"c{number}") if number in named else row
        for number, row in enumerate(rows)
    ]


references = st.builds(
    ReferenceRow,
    kind=st.just(models.VERSION),
    id=st.just("version_0"),
    organization=st.none() | st.sampled_from(ORGANIZATIONS),
    parent=_few,
    name=_few,
    context=_document,
    created_at=_instants,
)


@st.composite
def reference_tables(draw: Any, most: int = 10) -> list[ReferenceRow]:
    """Versions and products with different ids within each kind."""
    rows = [draw(references) for _ in range(draw(st.integers(0, most)))]
    kinds = st.sampled_from((models.VERSION, models.PRODUCT))
    return [row._replace(id=f"p{number}", kind=draw(kinds)) for number, row in enumerate(rows)]


_lists = {name: st.lists(_few, max_size=3) for name in ("version_ids", "product_ids", "run_ids")}
_tests = st.lists(st.sampled_from((*IDS, models.NONE)), max_size=3)


@st.composite
def queries(draw: Any) -> dict[str, Any]:
    """A list's query as its schema loads it."""
    query = {name: draw(values) for name, values in _lists.items()}
    for name in ("test_case_ids", "user_ids", "involved_in_run_ids"):
        query[name] = draw(st.just([]) | st.lists(_few, max_size=2))
    query["ids"] = []
    query["custom_ids"] = draw(st.just([]) | st.lists(st.sampled_from(("c0", "c1", "c2"))))
    for name in ("test_ids", "dataset_ids", "exclude_test_ids"):
        query[name] = draw(_tests)
    query["statuses"] = draw(st.just([]) | st.lists(st.sampled_from(rules.STATUSES), max_size=3))
    nanoseconds = _instants.map(lambda at: at * 1_000) | st.integers(-999, 999).map(
        lambda step: NOW * 1_000 + step
    )
    for name in ("from_created_at", "to_created_at"):
        if draw(st.booleans()):
            query[name] = draw(nanoseconds)
    query["limit"], query["offset"] = draw(st.integers(1, 15)), draw(st.integers(0, 3))
    query["sort"] = ["createdAt", draw(st.sampled_from(("asc", "desc")))]
    return query
