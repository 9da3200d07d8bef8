"""Calls that users of galtea 4.18 make; GALTEA_API_URL has the server.

Prints what each step gave. `sdk_script_galtea_4_18.py key`.
"""

import json
import sys
import warnings

import requests
from galtea import Galtea

NOWHERE = "session_" + "0" * 24
VERSION = "version_v1aaaaaaaaaaaaaaaaaaaaaa"
OTHER = "version_v2aaaaaaaaaaaaaaaaaaaaaa"
TEST_CASE = "testCase_t1aaaaaaaaaaaaaaaaaaaaa"
TEST = "test_s1aaaaaaaaaaaaaaaaaaaaaaa"
UNKNOWN = "version_x1aaaaaaaaaaaaaaaaaaaaaa"
CUSTOM = "my-session-that-is-long-enough"

warnings.simplefilter("ignore")  # the client's own dependencies deprecate each other
client = Galtea(sys.argv[1], suppress_updatable_version_message=True)
sessions = client.sessions


def shown(session):
    return json.loads(session.model_dump_json())


def refusal(call, *args, **kwargs):
    """The exception that a call raises: its class, and the server's answer."""
    try:
        call(*args, **kwargs)
    except requests.HTTPError as error:
        return [type(error).__name__, error.response.status_code, error.response.json()]
    except Exception as error:  # noqa: BLE001 - the client raises it bare
        return [type(error).__name__, str(error)]
    return None


heard = {}
made = sessions.create(version_id=VERSION, custom_id=CUSTOM, context="hi")
heard["made"] = shown(made)
heard["got"] = shown(sessions.get(made.id))
heard["by custom id"] = shown(sessions.get_by_custom_id(CUSTOM))
heard["no custom id"] = refusal(sessions.get_by_custom_id, "unknown")
heard["got or created"] = [
    shown(sessions.get_or_create(custom_id=custom_id, version_id=VERSION))
    for custom_id in (CUSTOM, "another-that-is-long-enough", "another-that-is-long-enough")
]
heard["flags"] = [
    sessions.create(version_id=OTHER, is_production=flag).is_monitoring()
    for flag in (None, True, False)
]
heard["driven"] = shown(sessions.create(version_id=VERSION, test_case_id=TEST_CASE))

heard["updated"] = shown(
    sessions.update(made.id, metadata={"turn": 1}, status="failed", error="HTTP 422")
)
heard["cleared"] = shown(sessions.update(made.id, error=None, context=None, metadata=None))
heard["untouched"] = shown(sessions.update(made.id))
heard["finished"] = shown(sessions._update_stopping_reason(made.id, "GOAL_ACHIEVED"))


def walked(**filters):
    """Each page of a list, until an empty one."""
    pages, offset = [], 0
    while page := sessions.list(offset=offset, limit=2, **filters):
        pages.append([session.id for session in page])
        offset += 2
    return pages


heard["ids"] = [sessions.create(version_id=UNKNOWN).id for _ in range(5)]
heard["walked"] = walked(version_id=UNKNOWN, sort_by_created_at="asc")
heard["filtered"] = {
    name: len(sessions.list(**filters))
    for name, filters in {
        "version": {"version_id": [VERSION, OTHER]},
        "test case": {"test_case_id": TEST_CASE},
        "test": {"test_id": TEST},
        "custom id": {"custom_id": CUSTOM},
        "since": {"version_id": VERSION, "from_created_at": "2026-03-01T12:00:00Z"},
        "until": {"version_id": VERSION, "to_created_at": 1_772_366_399},
        "empty": {"version_id": VERSION + "aaa", "test_id": TEST, "test_case_id": TEST_CASE},
    }.items()
}

heard["taken"] = refusal(sessions.create, version_id=VERSION, custom_id=CUSTOM)
heard["forbidden"] = refusal(
    sessions.create, version_id=VERSION, test_case_id=TEST_CASE, context="mine"
)
heard["not found"] = refusal(sessions.get, NOWHERE)
heard["status"] = refusal(sessions.update, made.id, status=None)
heard["simulated"] = refusal(client.simulator.simulate, made.id, lambda text: text, 1)
heard["reopened"] = sessions.get(made.id).status.value
heard["deleted"] = sessions.delete(made.id)
heard["gone"] = refusal(sessions.get, made.id)
client.shutdown()
heard["unknown key"] = refusal(
    Galtea("gsk_unknown", suppress_updatable_version_message=True).sessions.get, made.id
)
print(json.dumps(heard))
