"""FastAPI with the same work in raw sqlite3.

The views are coroutines that call sqlite3 directly, which is the fastest form with one process.
"""

from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

from benchmarks.rivals import raw_sessions

app = FastAPI()


class Start(BaseModel):
    session_timeout_minutes: int = Field(default=5, gt=0, lt=30)
    keep_alive: bool = False
    screenshot: bool | None = None


class Session(BaseModel):
    session_id: str
    status: str
    created_at: datetime
    last_accessed_at: datetime
    timeout_minutes: int
    duration: float


@app.post("/sessions")
async def create(body: Start, authorization: Annotated[str, Header()]) -> Session:
    organization, _ = _identify(authorization)
    return Session(**raw_sessions.insert(organization, body.session_timeout_minutes))


@app.get("/sessions/{session_id}")
async def get(session_id: str, authorization: Annotated[str, Header()]) -> Session:
    found = raw_sessions.find(session_id, *_identify(authorization))
    if found is None:
        raise HTTPException(404, "no such session")
    return Session(**found)


def _identify(authorization: str) -> tuple[str, int]:
    found = raw_sessions.identify(authorization)
    if found is None:
        raise HTTPException(401, "unknown key")
    return found
