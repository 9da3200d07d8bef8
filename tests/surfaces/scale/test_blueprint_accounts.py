from typing import Any

import pytest

from tests.conftest import App, MakeApp
from tests.identities import ANA, BOT, ROB
from tests.surfaces.scale.conftest import SEED, UNKNOWN_ID, Caller, assert_error

BODY = {"title": "t", "state": {}, "account_id": "acme"}


@pytest.fixture
def foreign(rob: Caller) -> Any:
    """A session in mars, where ana has no profile."""
    return rob.create("mars", title="foreign")


def test_admins_and_writers_can_create_in_an_account(ana: Caller, rob: Caller, bot: Caller) -> None:
    assert ana.create("acme")["account_id"] == "acme"
    assert ana.create("zeta")["account_id"] == "zeta"
    assert bot.create("acme")["account_id"] == "acme"
    assert rob.create("mars")["account_id"] == "mars"


@pytest.mark.parametrize("account", ["mars", "unheard-of", "", "ACME"])
def test_create_in_an_account_without_profile_is_403(ana: Caller, account: str) -> None:
    assert_error(ana.post({**BODY, "account_id": account}), 403, "no access")
    assert ana.app.rows("scale_sessions") == ana.app.rows("scale_counts") == []


def test_a_missing_role_is_reported_before_an_archived_session(ana: Caller, rob: Caller) -> None:
    session = ana.create("acme")
    ana.delete(session["id"])
    for body in ({}, {"title": "new"}):
        assert_error(rob.patch(session["id"], body), 403, "readonly")
    assert_error(rob.delete(session["id"]), 403, "readonly")


@pytest.mark.usefixtures("foreign")
def test_a_list_covers_exactly_the_caller_s_accounts(strict: App, ana: Caller) -> None:
    ana.create("zeta", title="zeta")
    ana.create("acme", title="acme")
    page = ana.page()
    assert [each["title"] for each in page["items"]] == ["zeta", "acme"]
    assert page["total_item_count"] == 2
    assert ana.titles(account_id="acme") == ["acme"]
    assert Caller(strict, "ana", "zeta").titles() == ["zeta"]
    assert Caller(strict, "ana", "zeta").titles(account_id="zeta") == ["zeta"]


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize(
    ("selected", "account"), [(None, "mars"), (None, "unheard-of"), ("zeta", "acme"), ("zeta", "")]
)
def test_a_list_of_an_account_without_access_or_other_than_the_header_s_is_empty(
    strict: App, ana: Caller, selected: str | None, account: str
) -> None:
    ana.create("acme")
    ana.create("zeta")
    page = Caller(strict, "ana", selected).page(account_id=account)
    assert (page["items"], page["total_item_count"]) == ([], 0)


def every_call(caller: Caller, session_id: str) -> list[Any]:
    return [
        caller.post(BODY),
        caller.get("/v4/sessions"),
        caller.get("/v4/sessions", account_id="acme"),
        caller.get(f"/v4/sessions/{session_id}"),
        caller.patch(session_id, {"title": "new"}),
        caller.delete(session_id),
        caller.get("/user-info"),
    ]


@pytest.mark.parametrize("selected", ["mars", "unheard-of", "Acme"])
def test_a_header_naming_an_account_without_access_is_403_on_every_call(
    strict: App, ana: Caller, selected: str
) -> None:
    session = ana.create("acme")
    before = strict.rows("scale_sessions")
    for session_id in (session["id"], UNKNOWN_ID):
        for answer in every_call(Caller(strict, "ana", selected), session_id):
            assert_error(answer, 403, selected)
    assert strict.rows("scale_sessions") == before


def test_a_header_naming_a_reader_s_account_is_403_on_writes_only(strict: App, ana: Caller) -> None:
    rob = Caller(strict, "rob", "acme")
    session = ana.create("acme")
    statuses = [answer.status_code for answer in every_call(rob, session["id"])]
    assert statuses == [403, 200, 200, 200, 403, 403, 200]
    assert_error(rob.delete(UNKNOWN_ID), 403)
    assert_error(rob.patch(UNKNOWN_ID, {"title": "new"}), 403)


def test_an_empty_header_counts_as_absent(strict: App) -> None:
    ana = Caller(strict, "ana", "")
    assert ana.create("zeta")["account_id"] == "zeta"


def test_header_and_body_naming_different_accounts_are_403(strict: App) -> None:
    assert_error(Caller(strict, "ana", "zeta").post(BODY), 403, "zeta", "acme")
    assert strict.rows("scale_sessions") == []
    assert Caller(strict, "ana", "acme").create("acme")["account_id"] == "acme"


def test_a_session_outside_the_header_s_account_is_not_found(ana: Caller) -> None:
    session = ana.create("acme")
    elsewhere = Caller(ana.app, "ana", "zeta")
    assert_error(elsewhere.get(f"/v4/sessions/{session['id']}"), 404)
    assert_error(elsewhere.patch(session["id"], {"title": "new"}), 404)
    assert_error(elsewhere.delete(session["id"]), 404)
    assert Caller(ana.app, "ana", "acme").show(session["id"]) == session


def test_body_violations_are_reported_before_account_errors(strict: App) -> None:
    mars = Caller(strict, "ana", "mars")
    assert_error(mars.post({**BODY, "title": 5}), 422)
    assert_error(mars.get("/v4/sessions", limit=0), 422)
    assert_error(mars.patch(UNKNOWN_ID, {"title": 5}), 422)


def test_a_bound_key_has_only_one_account(strict: App, ana: Caller) -> None:
    bound = Caller(strict, "ana-in-zeta")
    session = ana.create("acme")
    bound.create("zeta", title="bound")
    assert_error(bound.post(BODY), 403)
    assert_error(bound.get(f"/v4/sessions/{session['id']}"), 404)
    assert_error(Caller(strict, "ana-in-zeta", "acme").get("/v4/sessions"), 403)
    assert bound.titles() == ["bound"]
    assert [each["account"]["id"] for each in bound.get("/user-info").json["access_profiles"]] == [
        "zeta"
    ]


def test_user_info_lists_the_user_s_accounts_default_first(ana: Caller) -> None:
    profiles = [
        {"role": "readwrite", "account": {"id": "zeta", "name": "Zeta"}},
        {"role": "admin", "account": {"id": "acme", "name": "Acme"}},
    ]
    assert ana.get("/user-info").json == {
        "id": ANA,
        "email": "ana@example.com",
        "first_name": None,
        "last_name": None,
        "access_profiles": profiles,
        "accounts": profiles,
    }


@pytest.mark.parametrize(("key", "user"), [("rob", ROB), ("bot", BOT)])
def test_user_info_without_an_email_has_an_invalid_domain(strict: App, key: str, user: str) -> None:
    info = Caller(strict, key).get("/user-info").json
    assert (info["id"], info["email"]) == (user, f"{user}@users.invalid")


def test_user_info_has_the_id_of_the_creator(ana: Caller) -> None:
    assert ana.get("/user-info").json["id"] == ana.create()["created_by_user_id"]


def test_a_user_without_accounts_has_no_access_profiles(strict: App) -> None:
    strict.seed(
        f'[[users]]\nid = "{UNKNOWN_ID}"\nname = "New"\n'
        f'[[keys]]\nsecret = "new"\nuser = "{UNKNOWN_ID}"\n'
    )
    new = Caller(strict, "new")
    assert new.get("/user-info").json["access_profiles"] == []
    assert new.page()["total_item_count"] == 0
    assert_error(new.post(BODY), 403)


class TestLenient:
    """Any text is a key, with access to every undeclared account."""

    @pytest.fixture
    def lenient(self, app: App) -> App:
        app.seed(SEED)
        return app

    def test_a_namespace_without_accounts_has_a_default_one(self, anyone: Caller) -> None:
        (profile,) = anyone.get("/user-info").json["access_profiles"]
        assert profile == {
            "role": "admin",
            "account": {"id": "000000000000000000000001", "name": "Default"},
        }
        assert anyone.create(profile["account"]["id"])

    def test_any_undeclared_account_is_open_by_body_and_header(self, lenient: App) -> None:
        session = Caller(lenient, "k", "my-account").create("my-account")
        assert Caller(lenient, "other").show(session["id"]) == session
        assert Caller(lenient, "other", "my-account").page()["items"] == [session]
        assert Caller(lenient, "other", "your-account").page()["items"] == []

    def test_a_declared_account_is_closed_unless_it_is_the_first(self, lenient: App) -> None:
        anyone = Caller(lenient, "k")
        assert anyone.create("acme")
        assert_error(anyone.post({**BODY, "account_id": "mars"}), 403)
        assert_error(Caller(lenient, "k", "mars").get("/user-info"), 403)

    def test_a_list_covers_the_default_account_and_every_undeclared_one(self, lenient: App) -> None:
        anyone = Caller(lenient, "k")
        hidden = Caller(lenient, "rob").create("mars", title="mars")
        for account in ("acme", "one", "two"):
            anyone.create(account, title=account)
        assert anyone.titles() == ["acme", "one", "two"]
        assert anyone.page()["total_item_count"] == 3
        assert anyone.titles(page=2, limit=2) == ["two"]
        assert anyone.titles(account_id="mars") == []
        assert_error(anyone.get(f"/v4/sessions/{hidden['id']}"), 404)

    def test_a_seeded_key_acts_as_seeded(self, lenient: App) -> None:
        rob = Caller(lenient, "rob")
        assert_error(rob.post(BODY), 403, "readonly")
        assert_error(rob.post({**BODY, "account_id": "undeclared"}), 403)

    def test_strict_and_lenient_admit_different_keys(self, strict: App, make_app: MakeApp) -> None:
        assert_error(Caller(strict, "anything").get("/user-info"), 401)
        assert Caller(make_app(), "anything").get("/user-info").status_code == 200
