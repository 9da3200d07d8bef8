"""A conversation with notte-sdk; NOTTE_API_URL and NOTTE_API_KEY have server and key.

It checks each answer, and prints the calls of the client that it made.
"""

import json
from importlib.metadata import version

from notte_sdk import NotteClient
from notte_sdk.endpoints.base import NotteAPIError
from notte_sdk.types import SessionStartRequest

URL = "https://example.com/a"
api = NotteClient()
fields = SessionStartRequest.model_fields
idle = "idle_timeout_minutes" if "idle_timeout_minutes" in fields else "timeout_minutes"
# 1.7 opens a viewer otherwise, which needs a call that is not served.
options = {"headless": True} if "headless" in fields else {}


def refusal(call, *args, **arguments):
    """The error that a call raises, as text."""
    try:
        call(*args, **arguments)
    except NotteAPIError as error:
        return str(error)
    raise AssertionError("accepted")


def converse_with_sessions():
    """The calls that 1.4.1 can make, with the fields that it alone has."""
    started = api.sessions.start(timeout_minutes=5, screenshot=True, max_steps=3)
    assert api.sessions.status(started.session_id).timeout_minutes == 5
    return ["start", "status"]


def converse():
    calls = ["start", "status", "stop", "scrape", "list"]
    with api.Session(**{idle: 5}, **options) as session:
        shown = session.status()
        assert (shown.status, shown.duration.days) == ("active", 0)
        assert getattr(shown, idle) == 5
        scraped = session.scrape()
        assert getattr(scraped, "markdown", scraped) == ""
        if hasattr(session, "execute"):  # since 1.5.8
            calls += ["execute", "observe"]
            assert session.execute({"type": "goto", "url": URL}).success
            assert session.observe().metadata.url == URL
    assert session.response.status == "closed"
    assert api.sessions.status(session.session_id).closed_at is not None
    walk(session.session_id)
    return calls


def walk(ended):
    made = [api.sessions.start(**options).session_id for _ in range(5)][::-1]
    assert [each.session_id for each in api.sessions.list()] == made
    walked = []
    while page := api.sessions.list(page=len(walked) // 2 + 1, page_size=2, only_active=False):
        walked += [each.session_id for each in page]
    assert walked == [*made, ended]
    assert "is closed" in refusal(api.sessions.page.observe, ended)
    assert "less_than_equal" in refusal(api.sessions.list, page_size=101)


# 1.4 reads neither our lists nor our pages, and 1.4.1 stops at another path.
calls = converse() if version("notte-sdk") != "1.4.1" else converse_with_sessions()
assert "not found" in refusal(api.sessions.status, "nothing")
print(json.dumps({"calls": ", ".join(calls)}))
