from collections.abc import Iterator
from typing import Any

import pytest

from sessionary import clock, identity, ids, store
from sessionary.clock import Clock
from sessionary.identity import (
    DEFAULT_ORGANIZATION,
    Caller,
    InvalidKey,
    Key,
    Membership,
    Organization,
    User,
)
from sessionary.ids import IdSequence

NOW = 1_000_000


@pytest.fixture(autouse=True)
def _in_a_namespace() -> Iterator[None]:
    namespace = store.open_namespace(":memory:", durability="off")
    with namespace.activate():
        store.migrate(
            store.Schema(
                (Clock, IdSequence, *identity.TABLES), lambda: (clock.start(), ids.start())
            )
        )
        clock.set_mode("frozen", NOW)
        yield
    namespace.close()


@pytest.fixture
def ana() -> str:
    for organization in ("acme", "zeta"):
        Organization.create(id=organization, name=organization.title(), created_at=NOW)
    User.create(id="ana", name="Ana", identity_type="user", default_organization="acme")
    Membership.create(user="ana", organization="acme", role="admin")
    Membership.create(user="ana", organization="zeta", role="readonly")
    return "ana"


def authenticate(secret: str, surface: str = "notte", *, derive: bool = False) -> Caller:
    return identity.authenticate_key(secret, surface, derive=derive)[0]


def test_a_key_authenticates_its_user_with_every_membership(ana: str) -> None:
    key = identity.create_key("sk-", user=ana, surface="notte")
    caller = authenticate(key.secret)
    assert key.secret.startswith("sk-")
    assert (caller.user, caller.name, caller.identity_type) == ("ana", "Ana", "user")
    assert caller.roles == {"acme": "admin", "zeta": "readonly"}
    assert caller.organization == "acme"
    assert not caller.anywhere


def test_authentication_returns_the_time_of_the_namespace(ana: str) -> None:
    key = identity.create_key("", user=ana, surface=None)
    assert identity.authenticate_key(key.secret, "notte", derive=False)[1] == NOW


def test_a_bound_key_acts_in_its_organization(ana: str) -> None:
    key = identity.create_key("", user=ana, surface=None, organization="zeta")
    assert authenticate(key.secret).organization == "zeta"


def test_a_key_of_one_surface_is_invalid_on_another(ana: str) -> None:
    key = identity.create_key("", user=ana, surface="notte")
    with pytest.raises(InvalidKey):
        authenticate(key.secret, "scale")


def test_a_key_without_a_surface_is_valid_on_all(ana: str) -> None:
    key = identity.create_key("", user=ana, surface=None)
    assert authenticate(key.secret, "scale") == authenticate(key.secret, "galtea")


@pytest.mark.parametrize(("after", "open"), [(-1, True), (0, False), (1, False)])
def test_a_key_expires_at_its_deadline(ana: str, after: int, open: bool) -> None:
    key = identity.create_key("", user=ana, surface=None, expires_at=NOW + 60)
    clock.set_mode("frozen", NOW + 60 + after)
    if open:
        assert authenticate(key.secret).user == ana
    else:
        with pytest.raises(InvalidKey):
            authenticate(key.secret)


def test_a_revoked_key_is_invalid_at_once(ana: str) -> None:
    key = identity.create_key("", user=ana, surface=None)
    assert identity.revoke_key(key.id)
    with pytest.raises(InvalidKey):
        authenticate(key.secret)
    assert not identity.revoke_key(key.id)


def test_only_the_hash_of_a_secret_is_stored(ana: str) -> None:
    key = identity.create_key("sk-", user=ana, surface=None)
    stored: Any = Key.select().dicts().get()
    assert key.secret not in map(str, stored.values())
    assert stored["hash"] == identity.hash_of(key.secret)


def test_an_unknown_secret_is_invalid_in_strict_mode(ana: str) -> None:
    assert ana
    with pytest.raises(InvalidKey):
        authenticate("anything")


def test_in_lenient_mode_the_same_text_is_always_the_same_admin() -> None:
    first, again, other = (authenticate(text, derive=True) for text in ("a", "a", "b"))
    assert first == again
    assert first.user != other.user
    assert first.roles == {DEFAULT_ORGANIZATION: "admin"}
    assert first.anywhere
    assert User.select().count() == 0


def test_in_lenient_mode_the_first_organization_is_the_default(ana: str) -> None:
    assert ana
    assert authenticate("anything", derive=True).organization == "acme"


def test_in_lenient_mode_a_created_key_acts_as_created(ana: str) -> None:
    key = identity.create_key("", user=ana, surface="notte")
    assert authenticate(key.secret, derive=True).user == ana
    with pytest.raises(InvalidKey):
        authenticate(key.secret, "scale", derive=True)
    identity.revoke_key(key.id)
    with pytest.raises(InvalidKey):
        authenticate(key.secret, derive=True)


def test_a_user_without_memberships_has_no_roles(ana: str) -> None:
    assert ana
    User.create(id="eve", name="Eve", identity_type="service_account")
    caller = authenticate(identity.create_key("", user="eve", surface=None).secret)
    assert caller.roles == {}
    assert caller.organization is None


def test_the_owner_of_an_empty_database_is_created_once() -> None:
    owner = identity.owner()
    assert identity.owner() == owner
    (organization,) = identity.organizations_of(owner)
    caller = authenticate(identity.create_key("", user=owner, surface=None).secret)
    assert caller.roles == {organization: "admin"}
    assert caller.organization == organization


def test_a_key_needs_an_existing_user() -> None:
    import peewee as pw

    with pytest.raises(pw.IntegrityError):
        identity.create_key("", user="missing", surface=None)
