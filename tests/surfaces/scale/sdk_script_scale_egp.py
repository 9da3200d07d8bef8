"""Use sessions with scale-egp: `sdk_script_scale_egp.py account`.

The environment configures the client. Prints the result of each step.
"""

import json
import sys

from scale_egp.exceptions import EGPException
from scale_egp.sdk.client import EGPClient
from scale_egp.utils.api_utils import APIEngine

account = sys.argv[1]
client = EGPClient()
engine = APIEngine(client)


def error_of(call, *args, **kwargs):
    """Return the class, code and message of the exception that a call raises."""
    try:
        call(*args, **kwargs)
    except EGPException as error:
        return [type(error).__name__, error.code, error.message]
    return None


def body(**fields):
    return {"title": "t", "state": {}, "account_id": account, **fields}


results = {"account": client.account_id, "user": client.users().who_am_i().dict()}
made = engine._post("v4/sessions", request=body(title="Review", state={"step": 1})).json()
path = f"v4/sessions/{made['id']}"
results["made"] = made
results["got"] = engine._get(path).json()
results["patched"] = engine._patch(path, request={"title": "new"}).json()
others = [engine._post("v4/sessions", request=body()).json()["id"] for _ in range(4)]
results["ids"] = [made["id"], *others]


def page(number):
    found = engine._get("v4/sessions", query_params={"page": number, "limit": 2}).json()
    return [each["id"] for each in found["items"]]


results["walked"] = [page(number) for number in range(1, 5)]

results["deleted"] = [engine._delete(path).json() for _ in range(2)]
results["left"] = engine._get("v4/sessions").json()["total_item_count"]
results["restored"] = engine._patch(path, request={"restore": True}).json()

results["not found"] = error_of(engine._get, "v4/sessions/0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6cffff")
results["invalid"] = error_of(engine._post, "v4/sessions", request=body(title=5))
results["no access"] = error_of(engine._post, "v4/sessions", request=body(account_id="mars"))
engine._delete(path)
results["archived"] = error_of(engine._patch, path, request={"title": "newer"})
client.api_key = "unknown"
results["unknown"] = error_of(engine._get, "v4/sessions")
print(json.dumps(results))
