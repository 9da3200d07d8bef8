"""A namespace's clock, from outside."""

from datetime import datetime, timedelta
from typing import Any

from sessionary.client.responses import ClockState
from sessionary.client.times import Instant, duration, from_text, optional
from sessionary.client.transport import Calls


class Clock:
    """Reads and moves the clock; when a call returns, every later read is at the new time."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def get(self) -> ClockState:
        """Its mode and rate, what it shows, and what the wall shows."""
        found: ClockState = self._calls("GET", "clock")
        return found

    def now(self) -> datetime:
        """What it shows."""
        return from_text(self.get()["now"])

    def put(self, mode: str, now: Instant | None = None, rate: float | None = None) -> ClockState:
        """Make it `real`, `frozen`, `offset` or, with a rate, `scaled`; it goes on from `now`."""
        body = {"mode": mode, "now": optional(now), "rate": rate}
        given = {name: value for name, value in body.items() if value is not None}
        found: ClockState = self._calls("PUT", "clock", given)
        return found

    def freeze(self, at: Instant | None = None) -> ClockState:
        """Stop it: at this instant, or where it is."""
        return self.put("frozen", at)

    def real(self) -> ClockState:
        """Follow the wall."""
        return self.put("real")

    def scale(self, rate: float, now: Instant | None = None) -> ClockState:
        """Let so many of its seconds pass in one of the wall's."""
        return self.put("scaled", now, rate)

    def set(self, at: Instant) -> ClockState:
        """Show this instant and go on as before; a real clock becomes an offset one."""
        state = self.get()
        mode = "offset" if state["mode"] == "real" else state["mode"]
        return self.put(mode, at, state["rate"] if mode == "scaled" else None)

    def advance(self, by: timedelta | str | None = None, **parts: float) -> ClockState:
        """Move it, back if negative: by a timedelta or its parts (`minutes=5`), or by text.

        Text is such as `90s`, `PT25H` and `-5m`.
        """
        if (by is None) == (not parts):
            raise TypeError('say by how much: advance("90s") or advance(minutes=5)')
        way = timedelta(**parts) if by is None else by
        return self._advance({"by": way if isinstance(way, str) else duration(way)})

    def advance_to_next(self) -> ClockState:
        """Move it to the next instant at which something happens by itself in this namespace."""
        return self._advance({"to": "next"})

    def advance_until(self, session: str, status: str, surface: str | None = None) -> ClockState:
        """Move it to the instant at which time gives a session this status."""
        until = {"session": session, "status": status}
        return self._advance({"until": until if surface is None else until | {"surface": surface}})

    def _advance(self, body: dict[str, Any]) -> ClockState:
        found: ClockState = self._calls("POST", "clock/advance", body)
        return found
