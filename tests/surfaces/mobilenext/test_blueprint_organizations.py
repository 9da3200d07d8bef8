"""The organization that a call acts in, and the permissions of its roles."""

import pytest

from sessionary import identity
from tests.conftest import App
from tests.identities import ANA, BOT
from tests.surfaces.mobilenext.api_client import Calls, contents, error_of

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("key", "header", "organization"),
    [
        ("mob_ana", None, "acme"),
        ("mob_ana-in-zeta", None, "zeta"),
        ("mob_ana-in-zeta", "acme", "acme"),
        ("mob_ana", "zeta", "zeta"),
        *(("mob_ana", empty, "acme") for empty in ("", " ", "\t")),
        *(("mob_ana-in-zeta", empty, "zeta") for empty in ("", " ", "\t")),
    ],
)
def test_the_header_beats_the_key_s_binding_which_beats_the_default_organization(
    strict: App, key: str, header: str | None, organization: str
) -> None:
    response = Calls(strict, key, organization=header).post("/sessions")
    assert (response.status_code, response.json["organization"]) == (201, organization)


NOT_MEMBERS = [
    *(("mob_ana", each) for each in ("mars", "nowhere", "ACME", "acme,zeta")),
    ("mob_ana-in-zeta", "mars"),
    ("mob_bot", "zeta"),
    *(("mob_cleo", each) for each in (None, "acme", "nowhere")),
]


def test_a_caller_who_is_not_a_member_gets_the_same_403_on_every_call(
    strict: App, subtests: pytest.Subtests
) -> None:
    for key, organization in NOT_MEMBERS:
        with subtests.test(key=key, organization=organization):
            calls = Calls(strict, key, organization=organization)
            before = contents(strict)
            answers = [
                calls.get("/sessions"),
                calls.get(f"/sessions/{UNKNOWN_ID}"),
                calls.get(f"/sessions/{UNKNOWN_ID}/devices"),
                calls.get(f"/sessions/{UNKNOWN_ID}/devices/x"),
                calls.post("/sessions"),
                calls.allocate(UNKNOWN_ID),
                calls.release(UNKNOWN_ID, "x"),
            ]
            assert {error_of(each) for each in answers} == {(403, "forbidden")}
            assert {each.json["error"]["message"] for each in answers} == {
                "You are not a member of the selected organization"
            }
            assert contents(strict) == before


def test_a_removed_membership_closes_default_and_binding(strict: App) -> None:
    with strict.namespace.activate():
        identity.Membership.delete().execute()
    for key in ("mob_ana", "mob_ana-in-zeta"):
        assert error_of(Calls(strict, key).get("/sessions")) == (403, "forbidden")


def test_every_member_sees_every_session_of_the_organization(strict: App) -> None:
    ana, rob, bot = (Calls(strict, f"mob_{name}") for name in ("ana", "rob", "bot"))
    held = [ana.hold(), bot.hold()]
    assert [each["user"] for each in held] == [ANA, BOT]
    for calls in (ana, rob, bot):
        assert calls.page()["data"] == held[::-1]
        assert calls.session(held[0]["id"]) == held[0]


def test_the_header_selects_the_organization_in_which_an_id_is_found(strict: App) -> None:
    held = Calls(strict, "mob_ana", organization="zeta").hold()
    assert Calls(strict, "mob_ana-in-zeta").session(held["id"]) == held
    assert Calls(strict, "mob_ana").get(f"/sessions/{held['id']}").status_code == 404
    assert Calls(strict, "mob_ana").listed() == []


def test_created_at_is_unique_in_an_organization_not_across_them(strict: App) -> None:
    acme = [Calls(strict, "mob_ana").hold() for _ in range(2)]
    zeta = [Calls(strict, "mob_ana-in-zeta").hold() for _ in range(2)]
    assert [each["createdAt"] for each in acme] == [each["createdAt"] for each in zeta]
    assert acme[0]["createdAt"] < acme[1]["createdAt"]


def test_readwrite_can_use_a_colleague_s_session(strict: App) -> None:
    held = Calls(strict, "mob_ana").hold()
    bot = Calls(strict, "mob_bot")
    assert bot.allocate(held["id"]).status_code == 201
    assert bot.release(held["id"], held["device"]["id"]).status_code == 202
    assert bot.session(held["id"])["user"] == ANA


def test_organizations_are_listed_with_the_caller_s_role(strict: App) -> None:
    response = Calls(strict, "mob_ana").get("/organizations")
    shown = {"type": "organization", "createdAt": "2026-03-01T12:00:00.000000Z"}
    assert response.status_code == 200
    assert response.json == {
        "object": "list",
        "data": [
            {"id": "acme", "name": "Acme", "role": "admin", **shown},
            {"id": "zeta", "name": "Zeta", "role": "readwrite", **shown},
        ],
    }


def test_a_bound_key_and_a_header_list_the_same_organizations(strict: App) -> None:
    every = Calls(strict, "mob_ana").get("/organizations").json
    assert Calls(strict, "mob_ana-in-zeta").get("/organizations").json == every
    assert Calls(strict, "mob_ana", organization="zeta").get("/organizations").json == every


def test_a_caller_without_organizations_lists_none(strict: App) -> None:
    response = Calls(strict, "mob_cleo").get("/organizations")
    assert (response.status_code, response.json) == (200, {"object": "list", "data": []})


def test_a_foreign_header_is_403_on_organizations_too(strict: App) -> None:
    response = Calls(strict, "mob_ana", organization="mars").get("/organizations")
    assert error_of(response) == (403, "forbidden")


def test_a_lenient_namespace_without_organizations_has_a_default_one(calls: Calls) -> None:
    (shown,) = calls.get("/organizations").json["data"]
    assert shown.pop("createdAt")
    assert shown == {
        "id": identity.DEFAULT_ORGANIZATION,
        "name": "Default",
        "type": "organization",
        "role": "admin",
    }
    assert calls.hold()["organization"] == identity.DEFAULT_ORGANIZATION


def test_a_lenient_caller_cannot_use_another_organization(app: App, calls: Calls) -> None:
    app.seed('organizations = [{ id = "acme", name = "A" }, { id = "zeta", name = "Z" }]')
    assert calls.hold()["organization"] == "acme"
    for organization in ("zeta", "nowhere"):
        outside = Calls(app, organization=organization)
        assert error_of(outside.get("/sessions")) == (403, "forbidden")
    assert Calls(app, organization="acme").listed() == calls.listed()
