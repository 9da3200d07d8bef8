"""Import a client and print its version: `import_client.py module:Client distribution`."""

import json
import pkgutil
import sys
from importlib import metadata

_, client, distribution = sys.argv
pkgutil.resolve_name(client)
print(json.dumps(metadata.version(distribution)))
