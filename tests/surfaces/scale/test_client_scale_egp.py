"""The vendor's older SDK, unmodified, in an environment of its own."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import App, Serve
from tests.identities import BOT
from tests.sdk_environments import sdk_script
from tests.surfaces.scale.conftest import UNKNOWN_ID

ENVIRONMENT = "scale-egp-1.1.15"
SCRIPT = Path(__file__).with_name("sdk_script_scale_egp.py")
ACCOUNT_SCRIPT = Path(__file__).with_name("sdk_script_scale_egp_account.py")


@pytest.fixture
def results(strict: App, serve: Serve) -> Any:
    """The results of the script, run by the service account in acme."""
    env = {"EGP_ENDPOINT_URL": serve(strict) + "/scale", "EGP_API_KEY": "bot"}
    return sdk_script.run(ENVIRONMENT, SCRIPT, "acme", env=env)


def test_create_list_update_archive_and_the_errors_between(results: Any) -> None:
    assert results["account"] == "acme"
    assert results["user"]["id"] == BOT
    assert results["user"]["email"].endswith("@users.invalid")
    made = results["made"]
    assert (made["title"], made["state"], made["created_by_user_id"]) == (
        "Review",
        {"step": 1},
        BOT,
    )
    assert results["got"] == made
    assert results["patched"] == {**made, "title": "new"}
    assert [each for page in results["walked"] for each in page] == results["ids"]
    assert results["walked"][-1] == []
    assert results["deleted"] == [{"count": 1, "success": True}, {"count": 0, "success": True}]
    assert results["left"] == 4
    assert results["restored"] == results["patched"]
    assert results["not found"] == ["ItemDoesNotExist", 404, f"Session {UNKNOWN_ID} not found"]
    name, code, (violation,) = results["invalid"]
    assert (name, code, violation["loc"]) == ("EGPException", 422, ["body", "title"])
    assert results["no access"][:2] == ["EGPException", 403]
    assert results["archived"][:2] == ["EGPException", 400]
    assert results["unknown"][:2] == ["EGPException", 401]


def test_the_client_finds_its_account_in_the_user_s_profiles(strict: App, serve: Serve) -> None:
    strict.seed(
        f'[[users]]\nid = "{UNKNOWN_ID}"\nname = "New"\n'
        f'[[keys]]\nsecret = "new"\nuser = "{UNKNOWN_ID}"\n'
    )
    keys = ["bot", "ana", "rob", "ana-in-zeta", "new"]
    chosen = sdk_script.run(
        ENVIRONMENT, ACCOUNT_SCRIPT, *keys, env={"EGP_ENDPOINT_URL": serve(strict)}
    )
    assert "account_id" in chosen.pop("new")  # no account: the error names what to provide
    assert chosen == {
        "bot": "acme",
        "ana": "acme",  # zeta comes first, but the client looks for an admin
        "rob": "acme",  # not an admin anywhere: the default account comes first
        "ana-in-zeta": "zeta",
    }


def test_in_a_lenient_namespace_the_client_finds_a_default_account(app: App, serve: Serve) -> None:
    chosen = sdk_script.run(ENVIRONMENT, ACCOUNT_SCRIPT, "k", env={"EGP_ENDPOINT_URL": serve(app)})
    assert chosen == {"k": "000000000000000000000001"}


def test_the_environment_selects_an_account(strict: App, serve: Serve) -> None:
    env = {"EGP_ENDPOINT_URL": serve(strict), "EGP_API_KEY": "ana", "EGP_ACCOUNT_ID": "zeta"}
    results = sdk_script.run(ENVIRONMENT, SCRIPT, "zeta", env=env)
    assert (results["account"], results["made"]["account_id"]) == ("zeta", "zeta")
    assert results["left"] == 4
