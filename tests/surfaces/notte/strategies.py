"""Generated rows: active or ended, of v1 and of v4."""

from typing import Any

from hypothesis import strategies as st

from sessionary.surfaces.notte import queries, rules
from sessionary.surfaces.notte.models import Session, SessionRow
from sessionary.surfaces.notte.serializers import BROWSER
from sessionary.web import json_codec

MINUTE = 60_000_000
NOW = 1_772_366_400_000_000
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@st.composite
def sessions(draw: st.DrawFn, *, organizations: tuple[str, ...] = ("acme",)) -> SessionRow:
    """A session with instants within an hour of NOW, many of them exactly at its transitions."""
    created_at = NOW - draw(st.sampled_from([0, 1, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE]))
    accessed_at = created_at + draw(st.sampled_from([0, 1, MINUTE, 5 * MINUTE]))
    is_v4, end = draw(st.booleans()), draw(st.sampled_from([None, "closed", "error"]))
    row = SessionRow(
        id=str(draw(st.uuids(version=4))),
        organization=draw(st.sampled_from(organizations)),
        created_at=created_at,
        last_accessed_at=accessed_at,
        status_since_at=created_at,
        timeout_minutes=draw(st.integers(1, 30)),
        max_duration_minutes=draw(st.integers(1, 1440)) if is_v4 else None,
        outlives_timeout=draw(st.integers(0, 1)),
        expires_at=rules.NEVER,
        ended_at=None if end is None else accessed_at + draw(st.integers(0, MINUTE)),
        ended_as=end,
        close_reason=draw(st.sampled_from(["manual", "error", rules.BY_OPERATION]))
        if end
        else None,
        error=draw(TEXT) if end == "error" else None,
        url=draw(st.none() | TEXT),
        options=json_codec.encode(draw(browsers())) if is_v4 else "{}",
    )
    return row._replace(expires_at=rules.deadline(row, accessed_at))


def browsers() -> st.SearchStrategy[dict[str, Any]]:
    """The options of a start that v4 stores."""
    size = st.none() | st.integers(0, 2**63 - 1)
    asked = {name: st.booleans() for name, usual in BROWSER.items() if isinstance(usual, bool)}
    return st.fixed_dictionaries(
        {
            **asked,
            "browser_type": st.sampled_from(["chromium", "firefox"]),
            "user_agent": st.none() | TEXT,
            "viewport_width": size,
            "viewport_height": size,
        }
    )


namespaces = st.lists(
    st.tuples(sessions(organizations=("acme", "zeta")), st.sampled_from("ab")),
    max_size=12,
    unique_by=lambda drawn: drawn[0].id,
)


def fill(namespace: list[tuple[SessionRow, str]]) -> None:
    """Replace all rows of the active namespace by these, each with the hash of its key."""
    Session.delete().execute()
    for row, key_hash in namespace:
        queries.insert.run(**row._asdict(), key_hash=key_hash)
