"""`sessionary members`."""

import click

from sessionary import identity
from sessionary.cli.database import (
    Id,
    database_command,
    full_id,
    open_existing,
    open_read_only,
)
from sessionary.cli.output import Output
from sessionary.cli.tables import format_table

_ROLE = click.Choice(identity.ROLES)


@click.group()
def members() -> None:
    """Add, remove and list members of organizations.

    A change holds at the next request.
    """


@members.command(epilog="Example: sessionary members add ana acme --role readwrite")
@click.argument("user")
@click.argument("organization")
@click.option("--role", required=True, type=_ROLE, help="readonly may not write.")
@database_command
def add(user: str, organization: str, role: str, db: str) -> Output:
    """Give the USER a role in the ORGANIZATION, or another one.

    Both are ids.
    """
    with open_existing(db):
        user, organization = _full_ids(user, organization)
        identity.add_member(user, organization, role)
    value = {"user": user, "organization": organization, "role": role}
    return Output(value, f"User {user} has the role {role} in {organization}")


@members.command(epilog="Example: sessionary members remove ana acme")
@click.argument("user")
@click.argument("organization")
@database_command
def remove(user: str, organization: str, db: str) -> Output:
    """Withdraw the membership of the USER in the ORGANIZATION.

    Keys of the user stay.
    """
    with open_existing(db):
        user, organization = _full_ids(user, organization)
        identity.remove_member(user, organization)
    value = {"user": user, "organization": organization}
    return Output(value, f"User {user} is not a member of {organization} any more")


@members.command("list", epilog="Example: sessionary members list --organization acme --json")
@click.option("--user", help="Id of the user (default: all).")
@click.option("--organization", help="Id of the organization (default: all).")
@database_command
def list_members(user: str | None, organization: str | None, db: str) -> Output:
    """List memberships with their roles."""
    with open_read_only(db):
        found = identity.list_members(*_full_ids(user, organization))
    rows = [row._asdict() for row in found]
    return Output(rows, format_table(rows, "No members found"))


def _full_ids(user: Id, organization: Id) -> tuple[Id, Id]:
    return (
        full_id("user", user, identity.User),
        full_id("organization", organization, identity.Organization),
    )
