from tests.seed_rows import ID, row
from tests.surfaces.galtea.conftest import Api


def test_a_seeded_session_may_have_been_deleted_and_frees_its_custom_id(ana: Api) -> None:
    ana.app.seed(row("galtea.sessions", 'custom_id = "c"; deleted_ago = "5m"'))
    assert ana.get(ID).status_code == 404
    ana.create(versionId="version_v1", customId="c")


def test_a_product_or_test_that_a_row_names_is_made(ana: Api) -> None:
    ana.app.seed(row("galtea.versions") + row("galtea.test_cases", 'test = "t"'))
    kinds = {row[1:3] for row in ana.app.rows("galtea_parents")}
    assert {("product", "p"), ("test", "t")} <= kinds
