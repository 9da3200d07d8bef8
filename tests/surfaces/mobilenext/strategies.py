"""Generated rows, and functions that store them or join them in Python."""

from __future__ import annotations

from hypothesis import strategies as st

from sessionary.surfaces.mobilenext import models
from sessionary.surfaces.mobilenext.models import AllocationRow, DeviceRow, JoinedRow, SessionRow
from sessionary.surfaces.mobilenext.queries import allocations as allocation_queries
from sessionary.surfaces.mobilenext.queries import sessions as session_queries

ORGANIZATIONS = ("acme", "zeta")
SERIALS = tuple(f"A-{number}" for number in range(6))
LAST = 24
instants = st.integers(0, LAST)
maybe = st.none() | instants
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def devices() -> st.SearchStrategy[list[DeviceRow]]:
    """Generate a catalogue of every serial, some on demand, some retired."""
    facts = st.tuples(st.sampled_from([0, 0, 20]), st.integers(0, 1))
    return st.lists(facts, min_size=len(SERIALS), max_size=len(SERIALS)).map(
        lambda found: [
            DeviceRow(serial, "ios", "real", "iPhone", "18", seconds, 0, is_retired, 0)
            for serial, (seconds, is_retired) in zip(SERIALS, found, strict=True)
        ]
    )


@st.composite
def sessions(draw: st.DrawFn) -> list[SessionRow]:
    """Generate sessions, with a unique `createdAt` or none."""
    created = draw(
        st.lists(maybe, max_size=12, unique_by=lambda at: object() if at is None else at)
    )
    found = []
    for number, created_at in enumerate(created):
        is_listed = created_at is not None
        found.append(
            SessionRow(
                id=uuid(number),
                organization=draw(st.sampled_from(ORGANIZATIONS)),
                user=uuid(number % 3),
                opened_at=draw(instants),
                empty_expires_at=draw(instants),
                status_since_at=draw(instants),
                created_at=created_at,
                expires_at=draw(maybe) if is_listed else None,
                released_at=draw(maybe) if is_listed else None,
            )
        )
    return found


@st.composite
def allocations(draw: st.DrawFn, held_by: list[SessionRow]) -> list[AllocationRow]:
    """Generate one or more for each listed session; the first has its `createdAt`."""
    owners = [each for each in held_by if each.created_at is not None]
    further = draw(st.lists(st.sampled_from(owners), max_size=10)) if owners else []
    found = []
    for number, owner in enumerate([*owners, *further]):
        is_first = number < len(owners)
        found.append(
            AllocationRow(
                id=uuid(1000 + number),
                session=owner.id,
                serial=draw(st.sampled_from(SERIALS)),
                platform="ios",
                type="real",
                name=draw(texts),
                version="18.6",
                created_at=owner.created_at if is_first else draw(instants),
                in_use_at=draw(maybe),
                expires_at=owner.expires_at,
                released_at=draw(maybe),
            )
        )
    return found


def shown(session: SessionRow, allocations: list[AllocationRow]) -> list[JoinedRow]:
    """Return the rows of a session joined with its allocations."""
    return [
        JoinedRow(
            organization=session.organization,
            user=session.user,
            session_released_at=session.released_at,
            **each._asdict(),
        )
        for each in allocations
        if each.session == session.id
    ]


@st.composite
def namespaces(draw: st.DrawFn) -> tuple[list[DeviceRow], list[SessionRow], list[AllocationRow]]:
    """Generate a catalogue, sessions and their allocations."""
    found = draw(sessions())
    return draw(devices()), found, draw(allocations(found))


def fill(namespace: tuple[list[DeviceRow], list[SessionRow], list[AllocationRow]]) -> None:
    """Replace all rows of the active namespace by these."""
    for model in (models.Mark, models.Fact, models.Allocation, models.Session, models.Device):
        model.delete().execute()
    devices, sessions, allocations = namespace
    facts = [each._asdict() for each in devices]
    for each in facts:
        del each["is_allocated"]
    models.Device.insert_many(facts).execute()
    for row in sessions:
        session_queries.insert.run(**row._asdict())
    for part in allocations:
        allocation_queries.insert.run(**part._asdict())
