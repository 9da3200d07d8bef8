"""A client of the control plane, for Python, with nothing but the standard library.

Instants go in as aware datetimes or RFC 3339 text. Answers are the control plane's own JSON, as
sessionary.client.responses describes it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sessionary.client.clock import Clock
from sessionary.client.faults import Faults
from sessionary.client.journal import Journal
from sessionary.client.namespaces import DEFAULT, Namespaces
from sessionary.client.responses import Diff, Explanation, RequestExplanation, Summary, Timeline
from sessionary.client.times import Instant, optional, to_text
from sessionary.client.transport import Answer, Calls, Problem, Send, over_http, segment

__all__ = ["Answer", "Client", "Instant", "Problem", "Send", "over_http"]

_LONGEST_PAGE = 1000
_SURFACES = ("scale", "mobilenext", "notte", "galtea")


class Client:
    """The control plane of the server at `url`, seen from one namespace.

    `send` reaches a server that is not called over HTTP. Calls raise Problem, and ConnectionError
    where nothing answers.
    """

    def __init__(
        self,
        url: str,
        namespace: str = DEFAULT,
        token: str | None = None,
        *,
        send: Send | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.namespace = namespace
        self.send = send or over_http(self.url)
        self.token = token
        self.calls = Calls(self.send, namespace, token)
        self.clock = Clock(self.calls)
        self.faults = Faults(self.calls)
        self.journal = Journal(self.calls)
        # Namespaces are named in the path: a header would make the namespace that it names.
        self.namespaces = Namespaces(Calls(self.send, None, token), namespace)

    def of(self, namespace: str) -> "Client":
        """The same server, seen from another namespace."""
        return Client(self.url, namespace, self.token, send=self.send)

    def timeline(
        self,
        from_: Instant | None = None,
        to: Instant | None = None,
        limit: int | None = None,
        *,
        at: Instant | None = None,
    ) -> Timeline:
        """What happens by itself behind `from_` (now) and not behind `to`: at most 100, or `limit`.

        With `at` as it would be told at that instant.
        """
        query = {"from": optional(from_), "to": optional(to), "limit": limit}
        found: Timeline = self.calls("GET", "timeline", query=query, at=optional(at))
        return found

    def sessions(self, surface: str | None = None, *, at: Instant | None = None) -> list[Summary]:
        """Every session in this namespace, of one surface or of all, now or at another instant."""
        return list(self._sessions(surface, optional(at)))

    def explain(
        self, session: str, surface: str | None = None, at: Instant | None = None
    ) -> Explanation:
        """Why a session is in its state, now or at another instant, also one such as `+15m`.

        Without its surface, each is asked.
        """
        for each in _SURFACES if surface is None else (surface,):
            path = f"sessions/{segment(each)}/{segment(session)}/explain"
            try:
                found: Explanation = self.calls("GET", path, at=optional(at))
            except Problem as problem:
                if problem.status != 404 or surface is not None or not problem.document:
                    raise
            else:
                return found
        detail = f"there is no session {session!r} in the namespace {self.namespace!r}"
        raise Problem(404, detail, {"status": 404, "detail": detail})

    def force(
        self, session: str, status: str, reason: str | None = None, surface: str | None = None
    ) -> Explanation:
        """Put a session into a state that only the vendor could cause; gives its explanation."""
        owner = surface or self.explain(session)["surface"]
        body = {"status": status} if reason is None else {"status": status, "reason": reason}
        path = f"sessions/{segment(owner)}/{segment(session)}/force"
        found: Explanation = self.calls("POST", path, body)
        return found

    def diff(self, from_: Instant, to: Instant | None = None, limit: int | None = None) -> Diff:
        """Which sessions changed behind one instant and not behind another (now), and by what."""
        query = {"from": to_text(from_), "to": optional(to), "limit": limit}
        found: Diff = self.calls("GET", "diff", query=query)
        return found

    def explain_request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> RequestExplanation:
        """What a vendor call would meet, and everything that is wrong with it; nothing is done."""
        request = {"method": method, "path": path, "headers": headers, "query": query, "body": body}
        given = {name: value for name, value in request.items() if value is not None}
        found: RequestExplanation = self.calls("POST", "requests/explain", given)
        return found

    def _sessions(self, surface: str | None, at: str | None) -> Iterator[Summary]:
        after = None
        while True:
            query = {"surface": surface, "limit": _LONGEST_PAGE, "after": after}
            page = self.calls("GET", "sessions", query=query, at=at)
            yield from page["sessions"]
            after = page["next"]
            if after is None:
                return
