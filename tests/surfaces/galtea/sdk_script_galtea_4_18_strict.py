"""Print the exceptions that galtea 4.18 raises for an empty list of an unknown reference."""

import json
import warnings

from galtea import Galtea
from galtea.domain.exceptions.entity_not_found_exception import EntityNotFoundException

warnings.simplefilter("ignore")  # the client's own dependencies deprecate each other
client = Galtea("gsk_anyone", suppress_updatable_version_message=True)
heard = []
for name in ("version_id", "test_case_id", "test_id"):
    try:
        client.sessions.list(**{name: "x" * 20})
    except EntityNotFoundException as error:
        heard.append(str(error))
print(json.dumps(heard))
