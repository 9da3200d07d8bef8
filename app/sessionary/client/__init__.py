"""A typed client of the control plane that needs only the standard library.

Instants are passed as aware datetimes or RFC 3339 text. Methods return the JSON of the control
plane; sessionary.client.responses describes it.
"""

from collections.abc import Mapping
from typing import Any

from sessionary.client import responses
from sessionary.client.clock import Clock
from sessionary.client.faults import Faults
from sessionary.client.journal import Journal
from sessionary.client.namespaces import DEFAULT, Namespaces
from sessionary.client.responses import Diff
from sessionary.client.times import Instant, to_text
from sessionary.client.transport import (
    MAX_PAGE,
    ControlApi,
    ControlError,
    Response,
    Transport,
    http_transport,
    segment,
)

__all__ = ["Client", "ControlError", "Instant", "Response", "Transport", "http_transport"]
__tracebackhide__ = True  # pytest leaves the frames of this module out


class Client:
    """The control plane at `url`, used in one namespace.

    A `transport` replaces HTTP. Methods raise ControlError for a refusal, and ConnectionError if
    the server does not respond.
    """

    def __init__(
        self,
        url: str,
        namespace: str = DEFAULT,
        token: str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.namespace = namespace
        self.transport = transport or http_transport(self.url)
        self.token = token
        self.api = ControlApi(self.transport, namespace, token)
        self.clock = Clock(self.api)
        self.faults = Faults(self.api)
        self.journal = Journal(self.api)
        # These calls name the namespace in the path. With the header, a double would create it.
        self.namespaces = Namespaces(ControlApi(self.transport, None, token), namespace)

    def for_namespace(self, namespace: str) -> "Client":
        """Return a client of the same server for another namespace."""
        return Client(self.url, namespace, self.token, transport=self.transport)

    def timeline(
        self,
        from_: Instant | None = None,
        to: Instant | None = None,
        limit: int | None = None,
        *,
        at: Instant | None = None,
    ) -> responses.Timeline:
        """List at most `limit` (100) transitions after `from_` (now) and up to `to`, as of `at`."""
        query = {"from": to_text(from_), "to": to_text(to), "limit": limit}
        return self.api.request(responses.Timeline, "GET", "timeline", query=query, at=to_text(at))

    def sessions(
        self, surface: str | None = None, *, at: Instant | None = None
    ) -> list[responses.SessionSummary]:
        """List the namespace's sessions, of all surfaces or one, as of now or another instant."""
        found: list[responses.SessionSummary] = []
        query: dict[str, Any] = {"surface": surface, "limit": MAX_PAGE}
        while True:
            page = self.api.request(dict, "GET", "sessions", query=query, at=to_text(at))
            found += page["sessions"]
            query["after"] = page["next"]
            if query["after"] is None:
                return found

    def explain(
        self, session: str, surface: str | None = None, at: Instant | None = None
    ) -> responses.Explanation:
        """Explain a session of one or any surface, as of now, an instant or an offset (`+15m`)."""
        owner = "" if surface is None else f"{segment(surface)}/"
        path = f"sessions/{owner}{segment(session)}/explain"
        return self.api.request(responses.Explanation, "GET", path, at=to_text(at))

    def force(
        self, session: str, status: str, reason: str | None = None, surface: str | None = None
    ) -> responses.Explanation:
        """Put a session into a status that only the vendor can cause; return its explanation."""
        owner = surface or self.explain(session)["surface"]
        body = {"status": status} if reason is None else {"status": status, "reason": reason}
        path = f"sessions/{segment(owner)}/{segment(session)}/force"
        return self.api.request(responses.Explanation, "POST", path, body)

    def diff(self, from_: Instant, to: Instant | None = None, limit: int | None = None) -> Diff:
        """List changes of sessions after `from_` and up to `to` (default: now)."""
        query = {"from": to_text(from_), "to": to_text(to), "limit": limit}
        return self.api.request(Diff, "GET", "diff", query=query)

    def run(self) -> bytes:
        """Return the recorded run of the namespace: lines of JSON."""
        return self.api.send("GET", "run")

    def explain_request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> responses.RequestExplanation:
        """Explain a vendor call without making it: its response and everything wrong with it."""
        request = {"method": method, "path": path, "headers": headers, "query": query, "body": body}
        given = {name: value for name, value in request.items() if value is not None}
        return self.api.request(responses.RequestExplanation, "POST", "requests/explain", given)
