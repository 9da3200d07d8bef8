"""Entry point of the one file: its first process unpacks it, and waits for this second one."""

import atexit
import ctypes
import os
import shutil
import signal
import sys

import pyimod02_importers

from sessionary.cli import main

_PR_SET_PDEATHSIG = 1


def _exit_with(parent: int) -> None:
    """Stop as on SIGTERM if the first process is killed, and remove what it unpacked."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    own_pid = os.getpid()

    def remove_unpacked() -> None:
        if os.getpid() == own_pid and os.getppid() != parent:
            shutil.rmtree(sys._MEIPASS)

    atexit.register(remove_unpacked)


def _restore_environment() -> None:
    """Restore the original environment for child processes, which have their own libraries."""
    for name in [each for each in os.environ if each.startswith("_PYI_")]:
        del os.environ[name]
    libraries = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if libraries is not None:
        os.environ["LD_LIBRARY_PATH"] = libraries


def _import_from_running_file() -> None:
    """Import late modules from the running file, even after it was replaced by a new version."""
    pyimod02_importers.pyz_archive._filename = "/proc/self/exe"


_exit_with(os.getppid())
_restore_environment()
_import_from_running_file()
main()
