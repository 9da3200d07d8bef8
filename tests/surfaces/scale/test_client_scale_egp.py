"""The vendor's older SDK, unmodified, in an environment of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients import conversation
from tests.conftest import Sandbox

from .conftest import ANA, BOT, NOWHERE

ENVIRONMENT = "scale-egp-1.1"
LIFE = Path(__file__).with_name("conversation_scale_egp.py")
CHOICE = Path(__file__).with_name("conversation_scale_egp_account.py")


@pytest.fixture
def heard(strict: Sandbox, serve: Callable[[Sandbox], str]) -> Any:
    """A conversation of the service account in acme."""
    env = {"EGP_ENDPOINT_URL": serve(strict) + "/scale", "EGP_API_KEY": "bot"}
    return conversation.run(ENVIRONMENT, LIFE, "acme", env=env)


def test_a_session_s_whole_life_and_the_errors_on_its_way(heard: Any) -> None:
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


@pytest.mark.parametrize(
    ("key", "env", "account"),
    [
        ("bot", {}, "acme"),
        ("ana", {}, "acme"),  # zeta comes first, but ana is an admin of acme
        ("rob", {}, "acme"),  # an admin nowhere: the default account
        ("ana-in-zeta", {}, "zeta"),
        ("ana", {"EGP_ACCOUNT_ID": "zeta"}, "zeta"),
    ],
)
def test_the_client_finds_its_account_in_the_user_s_profiles(
    strict: Sandbox,
    serve: Callable[[Sandbox], str],
    key: str,
    env: dict[str, str],
    account: str,
) -> None:
    env = {"EGP_ENDPOINT_URL": serve(strict), "EGP_API_KEY": key, **env}
    assert conversation.run(ENVIRONMENT, CHOICE, env=env) == account


def test_the_client_says_so_where_the_user_has_no_account(
    strict: Sandbox, serve: Callable[[Sandbox], str]
) -> None:
    strict.seed(
        f'[[users]]\nid = "{NOWHERE}"\nname = "New"\n[[keys]]\nsecret = "new"\nuser = "{NOWHERE}"\n'
    )
    env = {"EGP_ENDPOINT_URL": serve(strict), "EGP_API_KEY": "new"}
    assert "account_id" in conversation.run(ENVIRONMENT, CHOICE, env=env)


def test_in_a_lenient_world_the_client_needs_no_account_at_all(
    sandbox: Sandbox, serve: Callable[[Sandbox], str]
) -> None:
    env = {"EGP_ENDPOINT_URL": serve(sandbox), "EGP_API_KEY": ANA}
    assert conversation.run(ENVIRONMENT, CHOICE, env=env) == "000000000000000000000001"
