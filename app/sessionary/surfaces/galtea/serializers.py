"""A row and an instant as Galtea's JSON."""

from typing import Any

from sessionary.surfaces.galtea import rules
from sessionary.surfaces.galtea.models import ReferenceRow, SessionRow
from sessionary.web import json_codec
from sessionary.web.instants import to_text

# Source: client. Below the minimum it refuses to work; below the latest it prints a notice.
SDK_VERSIONS = {"latestSdkVersionPublished": "5.12.0", "minimumSdkVersionSupported": "1.0.0"}


def session(row: SessionRow, now: int) -> dict[str, Any]:
    """Source: page and client (which compares `createdAt` as text: one precision)."""
    return {
        "id": row.id,
        "customId": row.custom_id,
        "versionId": row.version,
        "userId": row.user,
        "testCaseId": row.test_case,
        "context": _decode(row.context),
        "stoppingReason": rules.stopping_reason(row, now),
        "error": row.error,
        "status": rules.status(row, now),
        "isProduction": bool(row.is_production),
        "metadata": _decode(row.metadata),
        "createdAt": _to_text(row.created_at),
        "deletedAt": None if row.deleted_at is None else _to_text(row.deleted_at),
        "recordingUri": None,
        "runId": row.run,
        "isSeed": False,
    }


def version(row: ReferenceRow) -> dict[str, Any]:
    """Source: client."""
    created_at = _to_text(row.created_at)
    return {"id": row.id, "name": row.name, "productId": row.parent, "createdAt": created_at}


def test_case(row: ReferenceRow) -> dict[str, Any]:
    """Source: client. Assumed: the context only of a test case that has one."""
    shown = {"id": row.id, "testId": row.parent, "createdAt": _to_text(row.created_at)}
    return shown if row.context is None else {**shown, "context": _decode(row.context)}


def test(row: ReferenceRow) -> dict[str, Any]:
    """Source: client."""
    return {"id": row.id, "name": row.name, "createdAt": _to_text(row.created_at)}


def _decode(text: str | None) -> Any:
    return None if text is None else json_codec.decode(text)


def _to_text(at: int) -> str:
    """`2026-01-31T09:30:00.000Z`, cut to the millisecond. Source: client."""
    return to_text(at, "milliseconds")
