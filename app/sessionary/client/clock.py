"""The clock of a namespace."""

from datetime import datetime, timedelta
from typing import Any

from sessionary.client.responses import ClockState
from sessionary.client.times import Instant, duration_to_json, from_text, make_duration, to_text
from sessionary.client.transport import ControlApi

__tracebackhide__ = True  # pytest leaves the frames of this module out


class Clock:
    """Reads and moves the clock. A change applies to every read after the method returns."""

    def __init__(self, api: ControlApi) -> None:
        self._api = api

    def get(self) -> ClockState:
        """Return the mode, the rate, the clock's time and the real time."""
        return self._api.request(ClockState, "GET", "clock")

    def now(self) -> datetime:
        """Return the clock's time."""
        return from_text(self.get()["now"])

    def put(self, mode: str, now: Instant | None = None, rate: float | None = None) -> ClockState:
        """Set the mode (`real`, `frozen`, `offset`, or `scaled` with a rate) and the time."""
        body = {"mode": mode, "now": to_text(now), "rate": rate}
        return self._api.request(ClockState, "PUT", "clock", body)

    def freeze(self, at: Instant | None = None) -> ClockState:
        """Stop the clock, at an instant or at its current time."""
        return self.put("frozen", at)

    def real(self) -> ClockState:
        """Follow the real time."""
        return self.put("real")

    def scale(self, rate: float, now: Instant | None = None) -> ClockState:
        """Run `rate` seconds per real second, from `now` if given."""
        return self.put("scaled", now, rate)

    def set(self, at: Instant) -> ClockState:
        """Set the time and keep the mode; a real clock becomes an offset clock."""
        state = self.get()
        mode = "offset" if state["mode"] == "real" else state["mode"]
        return self.put(mode, at, state["rate"] if mode == "scaled" else None)

    def advance(self, by: timedelta | str | None = None, **parts: float) -> ClockState:
        """Move the clock by a timedelta, by parts (`minutes=5`) or text (`PT25H`, `-5m`)."""
        if (by is None) == (not parts):
            raise TypeError('pass one duration: advance("90s") or advance(minutes=5)')
        return self._advance({"by": duration_to_json(make_duration(parts) if by is None else by)})

    def advance_to_next(self) -> ClockState:
        """Move the clock to the next transition in the namespace."""
        return self._advance({"to": "next"})

    def advance_until(self, session: str, status: str, surface: str | None = None) -> ClockState:
        """Move the clock to the transition that gives a session this status."""
        until = {"session": session, "status": status, "surface": surface}
        return self._advance({"until": until})

    def _advance(self, body: dict[str, Any]) -> ClockState:
        return self._api.request(ClockState, "POST", "clock/advance", body)
