"""Run the command in a terminal of a given width."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress

from tests.processes import COMMAND, TIMEOUT_SECONDS, clean_environment


def run_in_terminal(*arguments: str, columns: int = 80, **variables: str) -> str:
    """Return what a command prints to a terminal, with its colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {"TERM": "xterm"} | clean_environment(**variables)
    for name in {"NO_COLOR", "COLUMNS"} - variables.keys():
        environ.pop(name, None)
    with subprocess.Popen(
        [COMMAND, *arguments], stdin=follower, stdout=follower, stderr=follower, env=environ
    ) as popen:
        os.close(follower)
        parts: list[bytes] = []
        with suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(leader, 4096):
                parts.append(part)
        popen.wait(TIMEOUT_SECONDS)
    os.close(leader)
    return b"".join(parts).decode().replace("\r\n", "\n")


def without_colours(text: str) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", text)
