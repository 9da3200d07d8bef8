"""Which account scale-egp chooses by itself, or why it cannot."""

import json

from scale_egp.sdk.client import EGPClient

try:
    print(json.dumps(EGPClient().account_id))
except ValueError as error:
    print(json.dumps(str(error)))
