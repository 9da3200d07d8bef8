"""A conversation with scale-gp or scale-gp-beta: `conversation_scale_gp.py url package`.

It checks each answer, and prints the calls of the client that it made.
"""

import importlib
import json
import sys
from typing import Any

url, name = sys.argv[1:]
package = importlib.import_module(name)
make = package.SGPClient
client = make(base_url=f"{url}/scale", api_key="anything", account_id="acme", max_retries=0)
BODY = {"title": "t", "state": {"b": [None, 2**60], "a": {}}, "account_id": "acme"}
PATH = "/v4/sessions"
CALLS = "post, get, patch, delete"


class Session(package.BaseModel):
    id: str
    title: str
    state: dict[str, Any]


def refusal(error, call, *args, **arguments):
    """The detail of the error of this class that a call raises."""
    try:
        call(*args, cast_to=object, **arguments)
    except error as found:
        return found.body["detail"]
    raise AssertionError("accepted")


def page(number):
    options = {"params": {"limit": 2, "page": number}}
    return client.get(PATH, cast_to=object, options=options)["items"]


def walk():
    """The ids of a walk by the client's own paging, if it has one for numbered pages.

    scale-gp 0.1.0a30 and 0.1.0a45 end it after the second page.
    """
    own = getattr(package.pagination, "SyncPageResponse", None)
    if own is None:
        return []
    options = {"params": {"limit": 2}}
    found = client.get_api_list(PATH, model=Session, page=own[Session], options=options)
    return [each.id for each in found]


importlib.import_module(f"{name}.pagination")
made = client.post(PATH, body=BODY, cast_to=Session)
assert (made.title, made.state) == ("t", BODY["state"])
assert list(made.state) == ["b", "a"]
path = f"{PATH}/{made.id}"
assert client.get(path, cast_to=Session) == made
assert client.patch(path, body={"title": "new"}, cast_to=Session).title == "new"
others = [client.post(PATH, body=BODY, cast_to=Session).id for _ in range(4)]
ids = [made.id, *others]
assert [each["id"] for number in range(1, 5) for each in page(number)] == ids
walked = walk()
assert walked in ([], ids[:4], ids), walked
assert client.delete(path, cast_to=object) == {"count": 1, "success": True}
assert client.delete(path, cast_to=object) == {"count": 0, "success": True}

unknown = f"{PATH}/0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6cffff"
assert "not found" in refusal(package.NotFoundError, client.get, unknown)
found = refusal(package.UnprocessableEntityError, client.post, PATH, body={**BODY, "title": 5})
assert found[0]["loc"] == ["body", "title"]
assert "archived" in refusal(package.BadRequestError, client.patch, path, body={"title": "x"})
assert client.patch(path, body={"restore": True}, cast_to=Session).id == made.id
print(json.dumps({"calls": CALLS + (", get_api_list" if walked else "")}))
