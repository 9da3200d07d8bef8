"""Print what a vendor's SDK reads of a session, or null if it finds none.

`sdk_script_reads.py surface session`; the variables of `namespace.variables()` have the server.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")  # the clients' own dependencies deprecate each other


def galtea(session):
    from galtea import Galtea

    client = Galtea(os.environ["GALTEA_API_KEY"], suppress_updatable_version_message=True)
    return client.sessions.get(session).id


def notte(session):
    from notte_sdk import NotteClient

    return NotteClient().sessions.status(session).status


def scale(session):
    from scale_gp import SGPClient

    account, url = os.environ["SGP_ACCOUNT_ID"], os.environ["SGP_CLIENT_BASE_URL"]
    client = SGPClient(api_key=os.environ["SGP_API_KEY"], account_id=account, base_url=url)
    return client.get(f"/v4/sessions/{session}", cast_to=object).get("archived_at")


READS = {"galtea": galtea, "notte": notte, "scale": scale}
try:
    found = READS[sys.argv[1]](sys.argv[2])
except Exception as error:  # noqa: BLE001 - each client raises its own
    found = f"{type(error).__name__}: {error}"
print(json.dumps(found))
