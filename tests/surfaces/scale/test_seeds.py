from tests.conftest import App
from tests.seed_rows import ID, OTHER, row
from tests.surfaces.scale.conftest import Caller


def test_totals_stay_exact_when_a_seed_moves_or_archives_sessions(strict: App, ana: Caller) -> None:
    def totals(facts: str) -> tuple[list[tuple[object, ...]], int, int]:
        """What is stored after a seed, and the totals of the live and of all sessions."""
        strict.seed(row("scale.sessions", facts))
        pages = ana.page(), ana.page(include_archived="true")
        live, every = (each["total_item_count"] for each in pages)
        return strict.rows("scale_counts"), live, every

    assert totals("") == ([("acme", 1, 0)], 1, 1)
    assert totals('account_id = "zeta"') == ([("acme", 0, 0), ("zeta", 1, 0)], 1, 1)
    archived = 'account_id = "zeta"; archived_ago = "1d"'
    assert totals(archived) == ([("acme", 0, 0), ("zeta", 0, 1)], 0, 1)
    assert totals(f'id = "{OTHER}"') == ([("acme", 1, 0), ("zeta", 0, 1)], 1, 2)
    ana.delete(OTHER)
    ana.patch(ID, {"restore": True})
    assert totals("") == ([("acme", 1, 1), ("zeta", 0, 0)], 1, 2)
    assert ana.delete(ID).json["count"] == 1
