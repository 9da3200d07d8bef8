"""The work of a get and a create in raw sqlite3: key and clock in one select, then the row."""

import hashlib
import os
import sqlite3
import time
import uuid
from datetime import UTC, datetime
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (mode TEXT, namespace_at INTEGER, wall_at INTEGER, rate REAL);
CREATE TABLE IF NOT EXISTS keys (
  hash TEXT PRIMARY KEY, user TEXT, organization TEXT, expires_at INTEGER, revoked_at INTEGER);
CREATE TABLE IF NOT EXISTS sessions (
  seq INTEGER PRIMARY KEY, id TEXT UNIQUE, organization TEXT, created_at INTEGER,
  last_accessed_at INTEGER, timeout_minutes INTEGER, expires_at INTEGER, ended_at INTEGER);
CREATE INDEX IF NOT EXISTS listed ON sessions (organization, created_at, seq);
"""
_COLUMNS = "id, created_at, last_accessed_at, timeout_minutes, expires_at, ended_at"
_MINUTE = 60_000_000

# One thread at a time uses it; a server may have made another one for that.
connection = sqlite3.connect(
    os.environ["BENCH_DATABASE"], isolation_level=None, check_same_thread=False
)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute(f"PRAGMA synchronous = {os.environ['BENCH_DURABILITY']}")
connection.executescript(_SCHEMA)
connection.execute("INSERT INTO clock VALUES ('real', 0, 0, 1.0)")
connection.execute(
    "INSERT OR IGNORE INTO keys VALUES (?, 'ana', 'acme', NULL, NULL)",
    (hashlib.sha256(os.environ["BENCH_KEY"].encode()).hexdigest(),),
)


def identify(authorization: str) -> tuple[str, int] | None:
    """Return the organization of a key, and the instant; None for an unknown key."""
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    found = connection.execute(
        "SELECT organization, expires_at, revoked_at, mode, namespace_at, wall_at, rate"
        " FROM clock LEFT JOIN keys ON hash = ?",
        (digest,),
    ).fetchone()
    organization, expires_at, revoked_at, mode, namespace_at, wall_at, rate = found
    now = _now(mode, namespace_at, wall_at, rate)
    if organization is None or revoked_at is not None or (expires_at or now + 1) <= now:
        return None
    return organization, now


def insert(organization: str, minutes: int) -> dict[str, Any]:
    """Insert a session in a transaction; return it for JSON."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        now = _now(
            *connection.execute("SELECT mode, namespace_at, wall_at, rate FROM clock").fetchone()
        )
        row = (str(uuid.uuid4()), now, now, minutes, now + minutes * _MINUTE, None)
        connection.execute(
            f"INSERT INTO sessions (organization, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (organization, *row),
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return _to_session(row, now)


def find(session_id: str, organization: str, now: int) -> dict[str, Any] | None:
    """Return a session for JSON; None if there is none."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM sessions WHERE id = ? AND organization = ?",  # noqa: S608
        (session_id, organization),
    ).fetchone()
    return None if row is None else _to_session(row, now)


def _now(mode: str, namespace_at: int, wall_at: int, rate: float) -> int:
    wall = time.time_ns() // 1000
    return wall if mode == "real" else namespace_at + int((wall - wall_at) * rate)


def _to_session(row: tuple[Any, ...], now: int) -> dict[str, Any]:
    id, created_at, last_accessed_at, minutes, expires_at, ended_at = row
    end = min(now, expires_at) if ended_at is None else ended_at
    return {
        "session_id": id,
        "status": "closed" if ended_at else "active" if now <= expires_at else "timed_out",
        "created_at": datetime.fromtimestamp(created_at / 1e6, UTC),
        "last_accessed_at": datetime.fromtimestamp(last_accessed_at / 1e6, UTC),
        "timeout_minutes": minutes,
        "duration": (end - created_at) / 1e6,
    }
