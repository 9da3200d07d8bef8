"""`sessionary keys`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sessionary import clock, identity, ids, store
from sessionary.cli.database import (
    database_command,
    full_id,
    open_existing,
    open_or_create,
    open_read_only,
)
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table
from sessionary.cli.values import INSTANT, absolute
from sessionary.surfaces import SURFACES
from sessionary.web.instants import to_text

_PREFIXES = {surface.name: surface.key_prefix for surface in SURFACES}


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command(epilog="Example: sessionary keys create --surface notte --user ana")
@click.option(
    "--surface",
    type=click.Choice(list(_PREFIXES)),
    help="Limit the key to this API (default: all).",
)
@click.option("--user", help="Id of the owner (default: the first user).")
@click.option("--organization", help="Bind the key to this one of the user's (default: none).")
@click.option("--expires-at", type=INSTANT, help="Expiry of the key (default: never).")
@database_command
def create(
    surface: str | None, user: str | None, organization: str | None, expires_at: str | None, db: str
) -> Output:
    """Create a key, and print its id and secret.

    The secret is printed only now.
    """
    is_new = not Path(db).exists()
    with open_or_create(db), store.transaction():
        expiry = None if expires_at is None else absolute(expires_at, clock.now())
        owner_id = full_id("user", user, identity.User)
        organization_id = full_id("organization", organization, identity.Organization)
        ids.ensure_seed(None)  # with the seed of a double, the key could be guessed
        key = identity.create_key(
            _PREFIXES.get(surface or "", ""),
            user=_owner(owner_id, organization_id),
            surface=surface,
            organization=organization_id,
            expires_at=expiry,
        )
        is_expired = expiry is not None and expiry <= clock.now()
    text = f"{key.id}\n{key.secret}\nStore the secret now: only its hash is kept."
    if is_new:
        text += f"\nThe database is new: there was none at {db}."
    if is_expired:
        text += f"\nThe key has expired already: --expires-at {expires_at} is in the past."
    return Output(key._asdict(), text)


def _owner(user: str | None, organization: str | None) -> str:
    """Return the id of the owner of a new key, who must be a member of the organization."""
    if user is not None and not identity.User.select().where(identity.User.id == user).exists():
        raise click.ClickException(f"--user {user} does not exist: add the user with a seed file")
    owner = user or identity.owner()
    if organization is not None and organization not in identity.organizations_of(owner):
        raise click.ClickException(
            f"user {owner} is not a member of --organization {organization}: "
            "add one with `sessionary members add`"
        )
    return owner


@keys.command("list", epilog="Example: sessionary keys list --json")
@database_command
def list_keys(db: str) -> Output:
    """List keys without their secrets."""
    with open_read_only(db):
        now = clock.now()
        rows = [_row(key, now) for key in identity.list_keys()]
    at = datetime.fromtimestamp(now / 1_000_000, UTC)
    table = format_table(rows, "No keys found", now=lambda: at, colours={"state": _colour})
    return Output(rows, table)


def _colour(row: Mapping[str, Any]) -> str:
    return "green" if row["state"] == "open" else "bright_black"


def _row(key: identity.KeyRow, now: int) -> dict[str, Any]:
    return {
        "id": key.id,
        "surface": key.surface or "all",
        "user": key.user,
        "organization": key.organization,
        "created_at": to_text(key.created_at),
        "expires_at": None if key.expires_at is None else to_text(key.expires_at),
        "state": key.state(now),
    }


@keys.command(epilog="Example: sessionary keys revoke key_0a1b2c3d4e5f")
@click.argument("id")
@database_command
def revoke(id: str, db: str) -> Output:
    """Revoke the key ID.

    Every running worker refuses it at once.
    """
    with open_existing(db):
        id = full_id("key", id, identity.Key)
        if not identity.revoke_key(id):
            raise click.ClickException(f"no open key has the id {id}: see `sessionary keys list`")
    return Output({"id": id}, f"Revoked {id}")
