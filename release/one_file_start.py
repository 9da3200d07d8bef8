"""What the one file runs: a process unpacks it and waits for a second one, which is this."""

import atexit
import ctypes
import os
import shutil
import signal
import sys

import pyimod02_importers

from sessionary.cli import main

_PR_SET_PDEATHSIG = 1


def _leave_with(parent: int) -> None:
    """End as by SIGTERM when the first process is killed, and then remove what it unpacked."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    me = os.getpid()

    def tidy() -> None:
        if os.getpid() == me and os.getppid() != parent:
            shutil.rmtree(sys._MEIPASS)

    atexit.register(tidy)


def _give_back_environment() -> None:
    """Start others with the environment as it was: they have libraries, and files, of their own."""
    for name in [each for each in os.environ if each.startswith("_PYI_")]:
        del os.environ[name]
    libraries = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if libraries is not None:
        os.environ["LD_LIBRARY_PATH"] = libraries


def _read_modules_from_what_runs() -> None:
    """Find modules that are imported late even when a new version has taken this file's place."""
    pyimod02_importers.pyz_archive._filename = "/proc/self/exe"


_leave_with(os.getppid())
_give_back_environment()
_read_modules_from_what_runs()
main()
