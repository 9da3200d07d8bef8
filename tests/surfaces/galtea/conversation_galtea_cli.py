"""A conversation with Galtea's command line: `conversation_galtea_cli.py program url`.

GALTEA_API_KEY has the key. It checks each answer, and prints the commands that it ran.
"""

import json
import subprocess
import sys

program, url = sys.argv[1:]


def run(*command):
    done = subprocess.run(
        [program, *command], capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


def galtea(*command):
    """The JSON of a command on sessions, which must succeed."""
    code, output, error = run("sessions", *command)
    assert code == 0, error
    return json.loads(output) if output.strip() else None


def refusal(*command):
    code, output, error = run("sessions", *command)
    assert code != 0, output
    return output + error


assert run("login", "--host", url)[0] == 0
created = galtea("create", "versionId: ver_123, customId: mine")
id = created["id"]
assert galtea("get", id) == created
assert galtea("update", id, "metadata{a: 1}")["metadata"] == {"a": 1}
finished = galtea("finish", id, "stoppingReason: done")
assert finished["status"] == "COMPLETED"
assert galtea("list", "--statuses", "COMPLETED") == [finished]
ids = [id, *(galtea("create", "versionId: ver_123")["id"] for _ in range(4))]
pages = [galtea("list", "--limit", "2", "--offset", str(offset)) for offset in (0, 2, 4, 6)]
assert [each["id"] for page in pages for each in page] == ids[::-1]
assert "already exists" in refusal("create", "versionId: ver_123, customId: mine")
galtea("delete", id)
assert "not found" in refusal("get", id)
print(json.dumps({"calls": "login, create, get, update, finish, list, delete"}))
