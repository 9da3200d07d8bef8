"""The file of a namespace: whether it is still there, and who uses it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sessionary.store.errors import DatabaseUnavailable, DatabaseUnusable
from sessionary.store.locks import WriteLock, lock_file


def resolved(path: Path) -> Path:
    """The file that a link leads to, or the path itself: beside it are its journal and its locks.

    Raises DatabaseUnusable for links that lead nowhere, and for what is there and no regular file.
    """
    file = Path(os.path.realpath(path)) if path.is_symlink() else path
    if file.is_symlink():
        raise DatabaseUnusable(f"{path} is a link that leads back to itself: name a file.")
    if not file.name or (file.exists() and not file.is_file()):
        raise DatabaseUnusable(f"{path} is a folder or a device, no regular file: name another.")
    return file


class FileLease:
    """Keeps the file of a namespace from being replaced: a lock that all share who have it open.

    Processes that are forked share the one of their parent. It ends with the last of them,
    however they end.
    """

    def __init__(self, file: Path) -> None:
        self._path = _beside(file)
        self._lock: int | None = None

    def take(self) -> None:
        """Wait until nobody replaces the file, and let nobody do it from now on."""
        if self._lock is None:
            self._lock = lock_file(self._path)
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@contextmanager
def replacing(file: Path) -> Iterator[None]:
    """Hold a file that nobody else has open or opens. Raises DatabaseUnusable."""
    file.absolute().parent.mkdir(parents=True, exist_ok=True)
    lock = lock_file(_beside(file))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DatabaseUnusable(
            f"{file} is open in another process: stop the server first, nothing was changed."
        ) from None
    finally:
        os.close(lock)


def is_open(file: Path) -> bool:
    """Whether a process has the file of a namespace open; leaves nothing beside any other file."""
    if not _beside(file).exists():
        return False
    lock = lock_file(_beside(file))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.hold")


class DatabaseFile:
    """The file of a namespace: whose turn it is to write, and whether it is still the same."""

    def __init__(self, path: Path) -> None:
        self.write_lock = WriteLock(path.with_name(f"{path.name}.lock"))
        self.lease = FileLease(path)
        self.uri = f"{path.as_uri()}?mode=rw"
        self._path = str(path)
        self._known: tuple[int, int] | None = None

    @property
    def is_known(self) -> bool:
        """Whether no other file is taken for it, and none made in its place."""
        return self._known is not None

    def know(self) -> None:
        """The file that is there now is the namespace's, as long as the process and its forks
        live."""
        self._known = self._found()

    def may_be_opened(self) -> bool:
        """Take the lease; return whether the file is writable. Raises DatabaseUnavailable."""
        self.lease.take()
        self.check_file_unchanged()
        return not self.is_known or os.access(self._path, os.W_OK)

    def check_file_unchanged(self) -> None:
        """Raises DatabaseUnavailable where the file is gone, or another has taken its place.

        What is written to a file that has no name is lost, and what is written beside another's
        journal destroys it: nothing is, until the file is back.
        """
        if self._known is not None and self._known != self._found():
            raise DatabaseUnavailable(
                f"{self._path} was replaced while it was open; stop the server and use "
                "`sessionary restore`, or put the file back"
            )

    def _found(self) -> tuple[int, int]:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - once for every request
        except OSError as error:
            raise DatabaseUnavailable(f"{self._path} cannot be found: {error.strerror}") from error
        return found.st_dev, found.st_ino
