"""A conversation with mobilecli: `conversation_mobilecli.py program`.

MOBILECLI_FLEET_URL and MOBILECLI_TOKEN have server and key. It checks each answer, and prints the
commands that it ran.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

(program,) = sys.argv[1:]


def run(*command):
    done = subprocess.run(
        [program, *command], capture_output=True, text=True, check=False, timeout=30
    )
    return json.loads(done.stdout)


def data(*command):
    """The answer to a command, which must succeed."""
    said = run(*command)
    assert said["status"] == "ok", said
    return said.get("data")


def refusal(*command):
    said = run(*command)
    assert said["status"] == "error", said
    return said["error"]


def converse():
    assert len(data("remote", "list-devices")["devices"]) > 2
    allocated = data("remote", "allocate", "--platform", "ios", "--wait")
    assert allocated["state"] == "online"
    serial = allocated["device"]["id"]
    device = ("--device", serial)
    (own,) = data("devices")["devices"]
    assert own["id"] == serial
    data("screenshot", "--output", "screen.png", *device)
    assert Path("screen.png").read_bytes().startswith(b"\x89PNG")
    data("io", "tap", "10,20", *device)
    data("apps", "launch", "com.example.shop", *device)
    assert data("apps", "foreground", *device)["packageName"] == "com.example.shop"
    assert "No device matches" in refusal(
        "remote", "allocate", "--platform", "android", "--name", "Nokia"
    )
    data("remote", "release", *device)
    assert "not allocated" in refusal("remote", "release", *device)


def end_daemon():
    """End the process that commands with a device leave."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = json.loads((Path.home() / ".mobilecli/daemon.pid").read_text())["pid"]
        os.kill(pid, signal.SIGTERM)


try:
    converse()
finally:
    end_daemon()
calls = "list-devices, allocate --wait, devices, screenshot, tap, apps, release"
print(json.dumps({"calls": calls}))
