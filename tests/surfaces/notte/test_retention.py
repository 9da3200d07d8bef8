"""Pruning removes exactly the sessions that ended before an instant."""

import pytest

from sessionary.surfaces.notte import queries
from sessionary.surfaces.notte.models import SessionRow
from tests.conftest import App
from tests.surfaces.notte.strategies import MINUTE, NOW

OVER = SessionRow(
    id="a",
    organization="o",
    created_at=NOW - MINUTE,
    last_accessed_at=NOW - MINUTE,
    timeout_minutes=1,
    expires_at=NOW,
)
CLOSED = OVER._replace(ended_at=NOW + 9, ended_as="closed", close_reason="manual")


@pytest.mark.parametrize(
    ("row", "before_at", "is_removed"),
    [(OVER, NOW, 0), (OVER, NOW + 1, 1), (CLOSED, NOW + 9, 0), (CLOSED, NOW + 10, 1)],
)
def test_an_end_at_the_instant_itself_is_not_before_it(
    app: App, row: SessionRow, before_at: int, is_removed: int
) -> None:
    """A session that a call has ended did not time out, even if a clock was moved in between."""
    with app.namespace.activate():
        queries.insert.run(**row._asdict(), key_hash="a")
        assert queries.retention.remove([1], before_at) == is_removed
