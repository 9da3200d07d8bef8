"""What scale-egp's users do with sessions: `sdk_script_scale_egp.py account`.

The client is pointed here by its environment. Prints what each step gave.
"""

import json
import sys

from scale_egp.exceptions import EGPException
from scale_egp.sdk.client import EGPClient
from scale_egp.utils.api_utils import APIEngine

account = sys.argv[1]
client = EGPClient()
engine = APIEngine(client)


def refusal(call, *args, **kwargs):
    """The exception that a call ends with: its class, its code and what it says."""
    try:
        call(*args, **kwargs)
    except EGPException as error:
        return [type(error).__name__, error.code, error.message]
    return None


def body(**fields):
    return {"title": "t", "state": {}, "account_id": account, **fields}


heard = {"account": client.account_id, "user": client.users().who_am_i().dict()}
made = engine._post("v4/sessions", request=body(title="Review", state={"step": 1})).json()
path = f"v4/sessions/{made['id']}"
heard["made"] = made
heard["got"] = engine._get(path).json()
heard["patched"] = engine._patch(path, request={"title": "new"}).json()
others = [engine._post("v4/sessions", request=body()).json()["id"] for _ in range(4)]
heard["ids"] = [made["id"], *others]


def page(number):
    found = engine._get("v4/sessions", query_params={"page": number, "limit": 2}).json()
    return [each["id"] for each in found["items"]]


heard["walked"] = [page(number) for number in range(1, 5)]

heard["deleted"] = [engine._delete(path).json() for _ in range(2)]
heard["left"] = engine._get("v4/sessions").json()["total_item_count"]
heard["restored"] = engine._patch(path, request={"restore": True}).json()

heard["not found"] = refusal(engine._get, "v4/sessions/0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6cffff")
heard["invalid"] = refusal(engine._post, "v4/sessions", request=body(title=5))
heard["no access"] = refusal(engine._post, "v4/sessions", request=body(account_id="mars"))
engine._delete(path)
heard["archived"] = refusal(engine._patch, path, request={"title": "newer"})
client.api_key = "nobody"
heard["unknown"] = refusal(engine._get, "v4/sessions")
print(json.dumps(heard))
