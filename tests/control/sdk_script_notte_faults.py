"""A script for notte-sdk under faults; prints the result of each step."""

import json
import random

from notte_sdk import NotteClient
from notte_sdk.errors import NotteAPIError

random.random = lambda: 0.0  # the client waits a random time before it tries again: none here

api = NotteClient()
session = api.sessions.start()
heard = {"read": api.sessions.status(session.session_id).status}
heard["listed"] = len(api.sessions.list())
try:
    api.sessions.page.observe(session.session_id)
except NotteAPIError as error:
    heard["refused"] = [type(error).__name__, error.status_code]
print(json.dumps(heard))
