"""A scenario through three vendors' SDKs, as the environment points them: `sdk_script_all.py`."""

import json
import os

import galtea
from notte_sdk import NotteClient
from scale_gp import SGPClient

# Not `execute`: the SDK sends the members of an action in another order in each process.
notte = NotteClient()
with notte.Session(idle_timeout_minutes=5) as session:
    session.observe()
notte.sessions.start(idle_timeout_minutes=3)
notte.sessions.list(only_active=False)

client = galtea.Galtea(api_key=os.environ["GALTEA_API_KEY"])
created = client.sessions.create(version_id="ver_1", custom_id="mine")
client.sessions.get(created.id)
client.sessions.list(version_id="ver_1")
client.versions.get("ver_1")
client.shutdown()

scale = SGPClient(max_retries=0)
body = {"title": "t", "state": {"a": 1}, "account_id": os.environ["SGP_ACCOUNT_ID"]}
made = scale.post("/v4/sessions", cast_to=object, body=body)
scale.patch(f"/v4/sessions/{made['id']}", cast_to=object, body={"title": "u"})
scale.get("/v4/sessions", cast_to=object)
print(json.dumps([session.session_id, created.id, made["id"]]))
