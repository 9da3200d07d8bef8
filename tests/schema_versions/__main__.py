"""`python -m tests.schema_versions` writes the fixture of the current schema version.

Do it once for each version, when its migration is written. The fixture of an earlier version is
never written again: it stands for what people have.
"""

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from freezegun import freeze_time

from sessionary import clock, create_app, ids
from sessionary.factory import SCHEMA
from sessionary.settings import Settings
from tests.schema_versions import FOLDER, NOON, fixture, read

_BOT = {"Authorization": "Bearer gsk_bot"}
_ANA = {"Authorization": "Bearer mob_ana"}


def write(target: Path) -> None:
    """Write the SQL file and the JSON file."""
    with TemporaryDirectory() as folder, freeze_time(NOON):
        db = Path(folder, "test.sqlite3")
        _create(db).extensions["sessionary"].close()
        app = create_app(
            Settings(db=str(db), seed=str(FOLDER / "seed.toml"), max_failed_keys_per_minute=0)
        )
        _call(app.test_client())
        answers = json.dumps(read(app), indent=1, ensure_ascii=False)
        app.extensions["sessionary"].close()
        target.write_text("\n".join(_dump(db)) + "\n")
        target.with_suffix(".json").write_text(answers + "\n")


def _create(db: Path) -> Flask:
    """Create an empty database with a frozen clock and seeded ids."""
    app = create_app(Settings(db=str(db), auth="lenient", max_failed_keys_per_minute=0))
    with app.extensions["sessionary"].activate():
        clock.set_mode("frozen")
        ids.seed("schemas")
    return app


def _call(client: FlaskClient) -> None:
    """Create rows that a seed cannot."""
    started = _post(client, "/session/start", {}, _ANA)
    _post(client, "/env/observe", {"session_id": started["session_id"], "keep_alive": False}, _ANA)
    made = _post(client, "/galtea/sessions", {"productId": "product_p2", "runId": None}, _BOT)
    answer = client.delete(f"/galtea/sessions/{made['id']}", headers=_BOT)
    assert answer.status_code == 204, answer.text
    _remember(client)


def _remember(client: FlaskClient) -> None:
    """Leave something on a device, over `/ws`."""
    params = {"deviceId": "pixel-1", "text": "kept"}
    message = {"jsonrpc": "2.0", "id": 1, "method": "device.clipboard.set", "params": params}
    answer = client.open("/ws", method="WS", json=message, headers=_ANA)
    assert "result" in answer.json, answer.text


def _post(client: FlaskClient, path: str, body: Any, who: dict[str, str]) -> Any:
    answer = client.post(path, json=body, headers=who)
    assert answer.status_code in (200, 201), answer.text
    return answer.json


def _dump(db: Path) -> Iterator[str]:
    with closing(sqlite3.connect(db)) as connection:
        yield from connection.iterdump()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        yield f"PRAGMA user_version = {version};"


if __name__ == "__main__":
    found = fixture(SCHEMA.version)
    if found.exists() and sys.argv[1:] != ["--again"]:
        sys.exit(f"{found} is there already; a new version needs a migration: see store/schema.py")
    write(found)
    print(f"{found} and {found.with_suffix('.json').name}")
