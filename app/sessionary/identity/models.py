"""Tables of organizations, users, memberships and keys."""

import peewee as pw

from sessionary import store

ROLES = ("admin", "readwrite", "readonly")
IDENTITY_TYPES = ("user", "service_account")


class Organization(store.Model):
    """A tenant: an account or an organization in the vendors' words."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    name = pw.TextField()
    created_at = pw.BigIntegerField()


class User(store.Model):
    """A person or a service account."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    name = pw.TextField()
    email = pw.TextField(null=True)
    identity_type = pw.TextField()
    default_organization = pw.TextField(null=True)


class Membership(store.Model):
    """The role of a user in an organization."""

    user = pw.ForeignKeyField(User, User.id, column_name="user")
    organization = pw.ForeignKeyField(Organization, Organization.id, column_name="organization")
    role = pw.TextField()

    class Meta:
        primary_key = pw.CompositeKey("user", "organization")


class Key(store.Model):
    """A credential of a user, for one surface or all; it may be bound to one organization."""

    seq = pw.AutoField()
    id = pw.TextField(unique=True)
    hash = pw.TextField(unique=True)
    user = pw.ForeignKeyField(User, User.id, column_name="user")
    surface = pw.TextField(null=True)
    organization = pw.ForeignKeyField(
        Organization, Organization.id, column_name="organization", null=True
    )
    created_at = pw.BigIntegerField()
    expires_at = pw.BigIntegerField(null=True)
    revoked_at = pw.BigIntegerField(null=True)


TABLES = (Organization, User, Membership, Key)
