"""Print the account that scale-egp chooses for each key, or its error: `… key key`."""

import json
import sys

from scale_egp.sdk.client import EGPClient


def account_of(key):
    try:
        return EGPClient(api_key=key).account_id
    except ValueError as error:
        return str(error)


print(json.dumps({key: account_of(key) for key in sys.argv[1:]}))
