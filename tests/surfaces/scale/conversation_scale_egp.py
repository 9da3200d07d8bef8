"""A conversation with scale-egp; EGP_ENDPOINT_URL and EGP_API_KEY have server and key.

It checks each answer, and prints the calls of the client that it made.
"""

import json

from scale_egp.exceptions import EGPException
from scale_egp.sdk.client import EGPClient
from scale_egp.utils.api_utils import APIEngine

client = EGPClient()
engine = APIEngine(client)
PATH = "v4/sessions"


def body(**fields):
    return {"title": "t", "state": {"step": 1}, "account_id": client.account_id, **fields}


def refusal(call, *args, **arguments):
    """The code and the text of the error that a call raises."""
    try:
        call(*args, **arguments)
    except EGPException as error:
        return f"{error.code} {error.message}"
    raise AssertionError("accepted")


def listed(**query):
    return engine._get(PATH, query_params=query).json()


assert client.users().who_am_i().id
made = engine._post(PATH, request=body()).json()
path = f"{PATH}/{made['id']}"
assert engine._get(path).json() == made
assert engine._patch(path, request={"title": "new"}).json()["title"] == "new"
others = [engine._post(PATH, request=body()).json()["id"] for _ in range(4)]
walked = [[each["id"] for each in listed(page=page, limit=2)["items"]] for page in range(1, 5)]
assert walked == [[made["id"], others[0]], others[1:3], others[3:], []]
assert engine._delete(path).json() == {"count": 1, "success": True}
assert engine._delete(path).json() == {"count": 0, "success": True}
assert listed()["total_item_count"] == 4

unknown = f"{PATH}/0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6cffff"
assert refusal(engine._get, unknown).startswith("404 ")
assert refusal(engine._post, PATH, request=body(title=5)).startswith("422 ")
assert "archived" in refusal(engine._patch, path, request={"title": "x"})
assert engine._patch(path, request={"restore": True}).json()["id"] == made["id"]
print(json.dumps({"calls": "who_am_i, post, get, patch, delete, list of pages"}))
