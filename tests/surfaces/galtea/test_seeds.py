"""Galtea's tables of the seed file."""

import shlex

import pytest

from sessionary.seeds.loader import BadSeed
from sessionary.surfaces import SURFACES
from tests.conftest import App
from tests.identities import ANA
from tests.surfaces.galtea.conftest import NEW, SEED, Api

surface = next(each for each in SURFACES if each.name == "galtea")

SESSION = """
[[galtea.sessions]]
id = "session_s1aaaaaaaaaaaaaaaaaaaaaa"
organization = "acme"
version = "version_v1"
created_ago = "1h"
"""
ID = "session_s1aaaaaaaaaaaaaaaaaaaaaa"


def test_a_seeded_session_equals_a_created_one(ana: Api) -> None:
    ana.app.seed(SESSION)
    facts = {"versionId": "version_v1", "createdAt": "2026-03-01T11:00:00.000Z"}
    assert ana.get(ID).json == {"id": ID, **NEW, **facts}
    assert ana.list_ids("productIds=product_p1") == [ID]


def test_every_fact_of_a_session_can_be_seeded(ana: Api) -> None:
    ana.app.seed(
        SESSION
        + f"""
        custom_id = "mine"
        user = "{ANA.upper()}"
        is_production = false
        context = "words"
        metadata = {{ key = "value" }}
        status = "FAILED"
        stopping_reason = "GAVE_UP"
        error = "HTTP 422"
        run = "run_1"
        """
    )
    shown = ana.get(ID).json
    assert shown["customId"] == "mine"
    assert shown["userId"] == ANA
    assert shown["isProduction"] is False
    assert shown["context"] == {"value": "words"}
    assert shown["metadata"] == {"key": "value"}
    assert shown["status"] == "FAILED"
    assert shown["stoppingReason"] == "GAVE_UP"
    assert shown["error"] == "HTTP 422"
    assert shown["runId"] == "run_1"


def test_a_seeded_session_copies_the_context_of_its_test_case(ana: Api) -> None:
    ana.app.seed(SESSION + 'test_case = "testCase_t1"')
    shown = ana.get(ID).json
    assert (shown["isProduction"], shown["context"]) == (False, {"persona": "impatient"})
    assert ana.list_ids("testIds=test_s1") == [ID]


def test_a_seeded_session_may_have_closed_by_itself(ana: Api) -> None:
    ana.app.seed(SESSION + 'auto_close_minutes = 20\nlast_active_ago = "20m"')
    shown = ana.get(ID).json
    assert shown["status"] == "COMPLETED"
    assert shown["stoppingReason"] == "Automatically closed after 20 minutes of inactivity"
    assert ana.list_ids("statuses=COMPLETED") == [ID]


def test_a_seeded_session_may_close_later(ana: Api) -> None:
    ana.app.seed(SESSION + "auto_close_minutes = 61")
    assert ana.get(ID).json["status"] == "PENDING"
    ana.app.advance(minutes=1)
    assert ana.get(ID).json["status"] == "COMPLETED"


def test_a_seeded_session_may_have_been_deleted_and_frees_its_custom_id(ana: Api) -> None:
    ana.app.seed(SESSION + 'custom_id = "c"\ndeleted_ago = "5m"')
    assert ana.get(ID).status_code == 404
    ana.create(versionId="version_v1", customId="c")


def test_applying_a_seed_again_changes_nothing(ana: Api) -> None:
    text = SEED + SESSION + 'test_case = "testCase_t1"\ncustom_id = "c"\n'
    ana.app.seed(text)
    before = ana.rows()
    ana.app.advance(hours=5)
    ana.app.seed(text)
    assert ana.rows() == before


def test_an_existing_row_is_updated_from_the_file(ana: Api) -> None:
    ana.app.seed(SESSION)
    ana.app.seed(SESSION + 'status = "COMPLETED"')
    assert ana.get(ID).json["status"] == "COMPLETED"
    assert ana.list_ids() == [ID]


def test_a_product_or_test_that_a_row_names_is_made(ana: Api) -> None:
    ana.app.seed(
        """
        [[galtea.versions]]
        id = "v"
        product = "p"
        [[galtea.test_cases]]
        id = "tc"
        test = "t"
        """
    )
    kinds = {row[1:3] for row in ana.app.rows("galtea_parents")}
    assert {("product", "p"), ("test", "t")} <= kinds


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        (SESSION.replace('"acme"', '"unknown"'), "organization 'unknown' does not exist"),
        (SESSION.replace('id = "session_s1aaaaaaaaaaaaaaaaaaaaaa"', 'id = ""'), "id"),
        (SESSION.replace('version = "version_v1"', ""), "version: is required"),
        (SESSION.replace('created_ago = "1h"', ""), "created_ago: is required"),
        (SESSION + 'status = "DONE"', "status"),
        (SESSION + 'test_case = "t"\ncontext = ""', "context"),
        (SESSION + 'test_case = "t"\nis_production = true', "isProduction"),
        (SESSION + 'run = "r"', "runId"),
        (SESSION + f'user = "{ANA}"', "production session has no user"),
        (SESSION + 'user = "x"\nis_production = false', "user 'x' does not exist"),
        (SESSION + 'last_active_ago = "2h"', "must follow each other"),
        (SESSION + 'last_active_ago = "1m"\ndeleted_ago = "2m"', "must follow each other"),
        (SESSION + "auto_close_minutes = 0", "auto_close_minutes"),
        (SESSION + 'created = "1h"', "created: is not a known field"),
        (
            SESSION + 'custom_id = "c"' + SESSION.replace("s1", "s2") + 'custom_id = "c"',
            "same customId: 'c'",
        ),
        ('[[galtea.versions]]\nid = "v"', "product: is required"),
        ('[[galtea.versions]]\nid = "v"\nproduct = ""', "product"),
        ('[[galtea.test_cases]]\nid = "t"\ntest = "s"\ncontext = 5', "context"),
        ('[[galtea.tests]]\nid = "t"\norganization = "unknown"', "'unknown' does not exist"),
        ('[[galtea.products]]\nid = "p"\nproduct = "p"', "not a known field"),
    ],
)
def test_an_invalid_row_is_refused_and_nothing_is_applied(ana: Api, text: str, saying: str) -> None:
    before = ana.rows()
    with pytest.raises(BadSeed, match=saying):
        ana.app.seed(text)
    assert ana.rows() == before


def test_the_example_in_the_documentation_makes_a_session(app: App) -> None:
    words = shlex.split(surface.example.format(url="", key="gsk_first"))
    assert words[:3] == ["-X", "POST", "/galtea/sessions"]
    headers = dict(word.split(": ") for word in words if ": " in word and word[0] != "{")
    response = app.client.post(words[2], headers=headers, data=words[-1])
    assert response.status_code == 201
    assert headers["Authorization"] == "Bearer gsk_first"
