"""Graceful shutdown: finish what is in flight, for a limited time."""

from sessionary.durations import monotonic

SHUTDOWN_SECONDS = 8  # Docker kills after 10
READING_SECONDS = 2  # for the rest of a request


class Shutdown:
    """Whether the server stops, and until when it may finish requests."""

    def __init__(self) -> None:
        self.is_requested = False
        self._ends_at = 0.0
        self._reading_ends_at = 0.0

    def request(self, *, at_once: bool = False) -> None:
        """Begin the shutdown, or end it at once."""
        if at_once:
            self._ends_at = 0.0
        elif not self.is_requested:
            self._ends_at = monotonic() + SHUTDOWN_SECONDS
            self._reading_ends_at = monotonic() + READING_SECONDS
        self.is_requested = True

    def is_over(self) -> bool:
        """Return whether unfinished requests must be abandoned now."""
        return monotonic() > self._ends_at

    def has_reading_ended(self) -> bool:
        """Return whether requests that are incomplete must be abandoned now."""
        return monotonic() > self._reading_ends_at
