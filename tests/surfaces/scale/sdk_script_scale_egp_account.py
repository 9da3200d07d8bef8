"""Which account scale-egp chooses for each key by itself, or why it cannot: `… key key`."""

import json
import sys

from scale_egp.sdk.client import EGPClient


def choice(key):
    try:
        return EGPClient(api_key=key).account_id
    except ValueError as error:
        return str(error)


print(json.dumps({key: choice(key) for key in sys.argv[1:]}))
