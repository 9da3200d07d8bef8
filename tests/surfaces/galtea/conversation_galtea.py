"""A conversation with galtea; GALTEA_API_URL has the server: `conversation_galtea.py key`.

It checks each answer, and prints the calls of the client that it made.
"""

import json
import sys
import warnings
from inspect import signature

from galtea import Galtea

# Clients before 4.19 refuse shorter ids.
VERSION = "version_v1aaaaaaaaaaaaaaaaaaaaaa"
TEST_CASE = "testCase_t1aaaaaaaaaaaaaaaaaaaaa"
CUSTOM = "my-session-that-is-long-enough"

warnings.simplefilter("ignore")  # the client's own dependencies deprecate each other
client = Galtea(sys.argv[1], suppress_updatable_version_message=True)
sessions = client.sessions
calls = ["create", "get", "get_by_custom_id", "get_or_create", "update", "list", "delete"]


def refusal(call, *args, **arguments):
    """The error that a call raises, as text."""
    try:
        call(*args, **arguments)
    except Exception as error:  # noqa: BLE001 - older clients raise it bare
        response = getattr(error, "response", None)
        return f"{error} {'' if response is None else response.text}"
    raise AssertionError("accepted")


made = sessions.create(version_id=VERSION, custom_id=CUSTOM, context="hi")
assert sessions.get(made.id) == made
anchored = "version_id" in signature(sessions.get_by_custom_id).parameters
anchor = {"version_id": VERSION} if anchored else {}
assert sessions.get_by_custom_id(CUSTOM, **anchor) == made
assert sessions.get_or_create(custom_id=CUSTOM, version_id=VERSION) == made
driven = sessions.create(version_id=VERSION, test_case_id=TEST_CASE)
assert not driven.is_monitoring()

updated = sessions.update(made.id, metadata={"turn": 1}, status="failed", error="HTTP 422")
assert (updated.metadata, updated.status.value, updated.error) == (
    {"turn": 1},
    "FAILED",
    "HTTP 422",
)
assert sessions.update(made.id, error=None, metadata=None).metadata is None
if hasattr(sessions, "finish"):
    calls.append("finish")
    finished = sessions.finish(made.id, "GOAL_ACHIEVED")
else:
    finished = sessions._update_stopping_reason(made.id, "GOAL_ACHIEVED")
assert (finished.status.value, finished.stopping_reason) == ("COMPLETED", "GOAL_ACHIEVED")

others = [sessions.create(version_id=VERSION + "b").id for _ in range(5)]
walked = []
while page := sessions.list(version_id=VERSION + "b", offset=len(walked), limit=2):
    walked += [session.id for session in page]
assert walked == others[::-1]
assert sessions.list(version_id=VERSION, test_case_id=TEST_CASE) == [driven]
assert sessions.list(version_id=VERSION + "c") == []

assert "already exists" in refusal(sessions.create, version_id=VERSION, custom_id=CUSTOM)
assert "context" in refusal(
    sessions.create, version_id=VERSION, test_case_id=TEST_CASE, context="mine"
)
assert sessions.delete(made.id) is None
assert "not found" in refusal(sessions.get, made.id)
print(json.dumps({"calls": ", ".join(calls)}))
