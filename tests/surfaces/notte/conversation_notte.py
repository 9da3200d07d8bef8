"""A conversation with notte, the first client: `conversation_notte.py url key`.

It checks each answer, and prints the calls of the client that it made.
"""

import json
import sys

from notte.sdk.client import NotteClient

url, key = sys.argv[1:]
URL = "https://example.com/a"


def client():
    return NotteClient(api_key=key, server_url=url)


def refusal(call, **arguments):
    """The error that a call raises, as text."""
    try:
        call(**arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("accepted")


notte = client()
started = notte.start(session_timeout_minutes=7, keep_alive=True)
assert (started.status, started.timeout_minutes) == ("active", 7)
observed = notte.observe(url=URL, screenshot=True, keep_alive=True)
assert (observed.metadata.url, observed.screenshot[:5]) == (URL, b"iVBOR")
assert notte.step(action_id="B1", keep_alive=True).metadata.url == URL
assert notte.scrape(keep_alive=True).metadata.url == URL
assert notte.close().status == "closed"
with client() as inside:
    session_id = inside.session_id
assert client().close(session_id=session_id).status == "closed"
assert client().observe(url=URL).metadata.url == URL

assert "not found" in refusal(client().start, session_id="nothing")
assert "is closed" in refusal(client().observe, session_id=session_id)
assert "session_timeout_minutes" in refusal(client().start, session_timeout_minutes=30)
print(json.dumps({"calls": "start, observe, step, scrape, close, with"}))
