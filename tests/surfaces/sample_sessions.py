"""Sample sessions of each surface, in every status, with many equal instants around NOON."""

import random
from collections.abc import Callable, Mapping

from sessionary.surfaces.galtea import rules as galtea_rules
from sessionary.surfaces.galtea.models import SessionRow as GalteaRow
from sessionary.surfaces.galtea.queries import sessions as galtea_queries
from sessionary.surfaces.mobilenext import models as mobilenext
from sessionary.surfaces.mobilenext import rules as mobilenext_rules
from sessionary.surfaces.mobilenext.queries import allocations as mobilenext_allocations
from sessionary.surfaces.mobilenext.queries import facts as mobilenext_facts
from sessionary.surfaces.mobilenext.queries import sessions as mobilenext_sessions
from sessionary.surfaces.notte import queries as notte_queries
from sessionary.surfaces.notte import rules as notte_rules
from sessionary.surfaces.notte.models import SessionRow as NotteRow
from sessionary.surfaces.scale import queries as scale_queries
from sessionary.surfaces.scale.models import SessionRow as ScaleRow
from tests.conftest import EPOCH, MICROSECOND, NOON

AT = (NOON - EPOCH) // MICROSECOND
MINUTE = 60_000_000
COUNT = 60


def _ago(rng: random.Random) -> int:
    return AT - rng.randrange(8) * MINUTE - rng.choice([-1, 0, 0, 1])


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _insert_notte(rng: random.Random) -> None:
    for number in range(COUNT):
        created_at = _ago(rng)
        end = rng.choice([None, None, None, notte_rules.CLOSED, notte_rules.ERROR])
        reason = rng.choice(["manual", "error", notte_rules.BY_OPERATION])
        row = NotteRow(
            id=_uuid(number),
            organization="o",
            created_at=created_at,
            last_accessed_at=created_at + rng.randrange(3) * MINUTE,
            timeout_minutes=rng.randint(1, 6),
            status_since_at=created_at if end is None else created_at + 3 * MINUTE,
            max_duration_minutes=rng.choice([None, 5, 6]),
            outlives_timeout=rng.choice([0, 0, 1]),
            ended_at=None if end is None else created_at + 3 * MINUTE,
            ended_as=end,
            close_reason=None if end is None else reason,
            error="it broke" if end == notte_rules.ERROR else None,
        )
        row = row._replace(expires_at=notte_rules.deadline(row, row.last_accessed_at))
        notte_queries.insert.run(**row._asdict(), key_hash="")


def _insert_galtea(rng: random.Random) -> None:
    for number in range(COUNT):
        written_at = _ago(rng)
        status = rng.choice([galtea_rules.PENDING, *galtea_rules.STATUSES])
        minutes = rng.choice([None, 3, 5, 7])
        row = GalteaRow(
            id=f"session_{number:024}",
            organization="o",
            version="v",
            product="p",
            status=status,
            created_at=written_at - written_at % 1000,
            written_at=written_at,
            status_since_at=written_at,
            error="it broke" if status == galtea_rules.FAILED else None,
            auto_close_minutes=minutes,
            expires_at=galtea_rules.deadline(status, written_at, minutes),
            deleted_at=rng.choice([None, None, None, AT]),
        )
        galtea_queries.insert.run(**row._asdict())


def _insert_scale(rng: random.Random) -> None:
    for number in range(COUNT):
        created_at = _ago(rng)
        archived_at = rng.choice([None, created_at, AT + MINUTE])
        row = ScaleRow(
            id=_uuid(number),
            account_id="o",
            title="t",
            state="{}",
            created_at=created_at,
            updated_at=created_at + rng.randrange(2) * MINUTE,
            created_by_user_id="u",
            created_by_identity_type="user",
            start_date=rng.choice([None, AT - MINUTE]),
            end_date=rng.choice([None, AT]),
            archived_at=archived_at,
            status_since_at=created_at,
        )
        scale_queries.insert.run(**row._asdict())
        scale_queries.update_counts(None, row)


def _insert_mobilenext(rng: random.Random) -> None:
    """Sessions with up to three devices; the last release ends a session."""
    for number in range(COUNT):
        opened_at = AT - 60 * MINUTE + number * MINUTE
        devices = rng.randrange(4)
        lease = rng.choice([None, 60, 62]) if devices else None
        session = mobilenext.SessionRow(
            id=_uuid(number),
            organization="o",
            user=_uuid(0),
            opened_at=opened_at,
            empty_expires_at=mobilenext_rules.empty_expires_at(opened_at, rng.randint(1, 90)),
            status_since_at=opened_at,
            created_at=opened_at if devices else None,
            expires_at=mobilenext_rules.lease_expires_at(opened_at, lease),
        )
        allocations = [_make_allocation(rng, session, number * 3 + each) for each in range(devices)]
        released_at = mobilenext_rules.last_release_at(allocations)
        mobilenext_sessions.insert.run(**session._replace(released_at=released_at)._asdict())
        for each in allocations:
            mobilenext_allocations.insert.run(**each._asdict())
            fact = mobilenext.FactRow(each.session, each.id, "clipboard", '"x"', "call", opened_at)
            mobilenext_facts.put.run(**fact._asdict())


def _make_allocation(
    rng: random.Random, session: mobilenext.SessionRow, number: int
) -> mobilenext.AllocationRow:
    serial = f"serial-{number}"
    description = {"platform": "ios", "type": "real", "name": "iPhone", "version": "18"}
    mobilenext.Device.create(
        serial=serial, provision_seconds=0, is_default=0, is_retired=0, **description
    )
    created_at = session.opened_at + rng.randrange(3)
    return mobilenext.AllocationRow(
        id=_uuid(10_000 + number),
        session=session.id,
        serial=serial,
        created_at=created_at,
        # Some leases end before their device is ready.
        in_use_at=rng.choice([None, *(created_at + each * MINUTE for each in (30, 61, 63))]),
        expires_at=session.expires_at,
        released_at=rng.choice([None, created_at + 5 * MINUTE]),
        **description,
    )


INSERT_SAMPLES: Mapping[str, Callable[[random.Random], None]] = {
    "galtea": _insert_galtea,
    "mobilenext": _insert_mobilenext,
    "notte": _insert_notte,
    "scale": _insert_scale,
}
