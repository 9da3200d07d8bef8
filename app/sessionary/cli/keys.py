"""sessionary keys."""

from typing import Any

import click

from sessionary import clock, identity, store
from sessionary.cli.database import clean_errors, database_option, open_or_create
from sessionary.cli.output import json_option, print_rows
from sessionary.surfaces import SURFACES
from sessionary.web.instants import BadInstant, parse, to_text

_PREFIXES = {surface.name: surface.key_prefix for surface in SURFACES}


@click.group()
def keys() -> None:
    """Make, list and revoke keys."""


@keys.command()
@click.option("--surface", type=click.Choice(list(_PREFIXES)), help="The only API it opens.")
@click.option("--user", help="Whose key; the first user's unless given.")
@click.option("--organization", help="Bind it to one of the user's organizations.")
@click.option("--expires-at", help="A date-time such as 2031-01-01T00:00:00Z.")
@database_option
@json_option
@clean_errors
def create(
    surface: str | None,
    user: str | None,
    organization: str | None,
    expires_at: str | None,
    db: str,
    as_json: bool,
) -> None:
    """Make a key and show its secret, once.

    \b
    Example:
      sessionary keys create --surface notte --expires-at 2031-01-01T00:00:00Z
    """
    try:
        expiry = None if expires_at is None else parse(expires_at) // 1000
    except BadInstant as error:
        raise click.ClickException(f"--expires-at {error}") from error
    with open_or_create(db), store.transaction():
        owner = user or identity.owner()
        if user is not None and not identity.User.select().where(identity.User.id == user).exists():
            raise click.ClickException(f"there is no user {user}: seed one first")
        if organization is not None and organization not in identity.organizations_of(owner):
            raise click.ClickException(f"the user is no member of {organization}")
        key = identity.create_key(
            _PREFIXES.get(surface or "", ""),
            user=owner,
            surface=surface,
            organization=organization,
            expires_at=expiry,
        )
    if as_json:
        print_rows([key._asdict()], as_json=True, empty="")
    else:
        click.echo(f"{key.id}\n{key.secret}\nKeep it: only its hash is stored.")


@keys.command("list")
@database_option
@json_option
@clean_errors
def list_keys(db: str, as_json: bool) -> None:
    """List keys, without their secrets.

    \b
    Example:
      sessionary keys list --json
    """
    with open_or_create(db):
        now = clock.now()
        rows = [_row(key, now) for key in identity.list_keys()]
    print_rows(rows, as_json=as_json, empty="There are no keys.")


def _row(key: identity.KeyRow, now: int) -> dict[str, Any]:
    state = "open"
    if key.expires_at is not None and now >= key.expires_at:
        state = "expired"
    if key.revoked_at is not None:
        state = "revoked"
    return {
        "id": key.id,
        "surface": key.surface or "all",
        "user": key.user,
        "organization": key.organization,
        "created_at": to_text(key.created_at),
        "expires_at": None if key.expires_at is None else to_text(key.expires_at),
        "state": state,
    }


@keys.command()
@click.argument("id")
@database_option
@clean_errors
def revoke(id: str, db: str) -> None:
    """Refuse a key from now on, in every worker.

    \b
    Example:
      sessionary keys revoke key_0a1b2c3d4e5f
    """
    with open_or_create(db):
        if not identity.revoke_key(id):
            raise click.ClickException(f"there is no open key {id}: see `sessionary keys list`")
    click.echo(f"{id} is revoked")
