"""The vendor's older SDK, unmodified, in an environment of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import App
from tests.sdk_environments import sdk_script
from tests.surfaces.scale.conftest import BOT, NOWHERE

ENVIRONMENT = "scale-egp-1.1"
LIFE = Path(__file__).with_name("sdk_script_scale_egp.py")
CHOICE = Path(__file__).with_name("sdk_script_scale_egp_account.py")


@pytest.fixture
def heard(strict: App, serve: Callable[[App], str]) -> Any:
    """A conversation of the service account in acme."""
    env = {"EGP_ENDPOINT_URL": serve(strict) + "/scale", "EGP_API_KEY": "bot"}
    return sdk_script.run(ENVIRONMENT, LIFE, "acme", env=env)


def test_create_list_update_archive_and_the_errors_between(heard: Any) -> None:
    assert heard["account"] == "acme"
    assert heard["user"]["id"] == BOT
    assert heard["user"]["email"].endswith("@users.invalid")
    made = heard["made"]
    assert (made["title"], made["state"], made["created_by_user_id"]) == (
        "Review",
        {"step": 1},
        BOT,
    )
    assert heard["got"] == made
    assert heard["patched"] == {**made, "title": "new"}
    assert [each for page in heard["walked"] for each in page] == heard["ids"]
    assert heard["walked"][-1] == []
    assert heard["deleted"] == [{"count": 1, "success": True}, {"count": 0, "success": True}]
    assert heard["left"] == 4
    assert heard["restored"] == heard["patched"]
    assert heard["not found"] == ["ItemDoesNotExist", 404, f"Session {NOWHERE} not found"]
    name, code, (violation,) = heard["invalid"]
    assert (name, code, violation["loc"]) == ("EGPException", 422, ["body", "title"])
    assert heard["no access"][:2] == ["EGPException", 403]
    assert heard["archived"][:2] == ["EGPException", 400]
    assert heard["unknown"][:2] == ["EGPException", 401]


def test_the_client_finds_its_account_in_the_user_s_profiles(
    strict: App, serve: Callable[[App], str]
) -> None:
    strict.seed(
        f'[[users]]\nid = "{NOWHERE}"\nname = "New"\n[[keys]]\nsecret = "new"\nuser = "{NOWHERE}"\n'
    )
    keys = ["bot", "ana", "rob", "ana-in-zeta", "new"]
    chosen = sdk_script.run(ENVIRONMENT, CHOICE, *keys, env={"EGP_ENDPOINT_URL": serve(strict)})
    assert "account_id" in chosen.pop("new")  # nobody's account: it says what to provide
    assert chosen == {
        "bot": "acme",
        "ana": "acme",  # zeta comes first, but it looks for an admin
        "rob": "acme",  # an admin nowhere: the default comes first
        "ana-in-zeta": "zeta",
    }


def test_in_a_lenient_namespace_the_client_finds_the_default_account(
    app: App, serve: Callable[[App], str]
) -> None:
    chosen = sdk_script.run(ENVIRONMENT, CHOICE, "k", env={"EGP_ENDPOINT_URL": serve(app)})
    assert chosen == {"k": "000000000000000000000001"}


def test_the_environment_selects_an_account(strict: App, serve: Callable[[App], str]) -> None:
    env = {
        "EGP_ENDPOINT_URL": serve(strict),
        "EGP_API_KEY": "ana",
        "EGP_ACCOUNT_ID": "zeta",
    }
    heard = sdk_script.run(ENVIRONMENT, LIFE, "zeta", env=env)
    assert (heard["account"], heard["made"]["account_id"]) == ("zeta", "zeta")
    assert heard["left"] == 4
