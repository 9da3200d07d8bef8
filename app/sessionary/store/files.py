"""The database file: its path, whether it is in use, and whether it was replaced."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sessionary.durations import monotonic
from sessionary.store.atomic_files import CannotWrite, create_new, give_to_owner
from sessionary.store.errors import DatabaseUnavailable, DatabaseUnusable
from sessionary.store.locks import (
    FileLease,
    WriteLock,
    lease_path,
    open_existing_lock,
    open_lock_file,
    try_lock,
)
from sessionary.store.waits import poll

MISSING_FILE_TIMEOUT_SECONDS = 2.0  # another process may be creating the file


def resolve_path(path: Path) -> Path:
    """Return the path, or the target of a link: the WAL and lock files are next to the target.

    Raises DatabaseUnusable for a circular link, a folder or a device.
    """
    file = Path(os.path.realpath(path)) if path.is_symlink() else path
    if file.is_symlink():
        raise DatabaseUnusable(f"{path} is a circular link: name a file.")
    if not file.name or (file.exists() and not file.is_file()):
        raise DatabaseUnusable(f"{path} is a folder or a device, not a regular file: name another.")
    return file


def create_folder(folder: Path) -> None:
    """Create a missing folder, but not the one that holds it. Raises CannotWrite."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    except OSError as error:
        raise CannotWrite(error.errno, error.strerror, str(folder)) from error
    give_to_owner(folder, folder.parent)


def create_file(file: Path) -> None:
    """Create an empty file that only its owner can use; an empty one becomes such a file.

    Raises CannotWrite.
    """
    try:
        os.close(create_new(file, file.parent))
    except FileExistsError:
        if not _has_content(file):
            _make_private(file)
    except OSError as error:
        raise CannotWrite(error.errno, error.strerror, str(file)) from error


def _make_private(file: Path) -> None:
    try:
        file.chmod(0o600)
    except OSError as error:
        raise CannotWrite(error.errno, error.strerror, str(file)) from error


def ensure_can_write(path: Path) -> None:
    """Raise CannotWrite where a database cannot be written or created; create nothing."""
    file = resolve_path(path).absolute()
    needed = [file.parent if file.parent.exists() else file.parent.parent]
    for each in [*needed, file] if file.exists() else needed:
        if not os.access(each, os.W_OK):
            code = errno.EACCES if each.exists() else errno.ENOENT
            raise CannotWrite(code, os.strerror(code), str(file))


@contextmanager
def exclusive_lease(file: Path) -> Iterator[None]:
    """Keep other processes from opening a file. Raises DatabaseUnusable if one has it open."""
    create_folder(file.absolute().parent)
    path = lease_path(file)
    is_new = not path.exists()
    lock = open_lock_file(path)
    try:
        if not try_lock(lock, fcntl.LOCK_EX):
            raise DatabaseUnusable(in_use_message(file))
        try:
            yield
        except BaseException:
            if is_new:
                path.unlink(missing_ok=True)
            raise
    finally:
        os.close(lock)


def in_use_message(file: Path | str) -> str:
    """Say that another process has the file open."""
    return f"{file} is open in another process: stop the server first, nothing was changed."


def is_in_use(file: Path, *, or_replaced: bool = True) -> bool:
    """Return whether a process has the database file open, or replaces it. Creates no file."""
    path = lease_path(file)
    if not path.exists():
        return False
    lock = open_existing_lock(path)
    try:
        return not try_lock(lock, fcntl.LOCK_EX) and (or_replaced or try_lock(lock, fcntl.LOCK_SH))
    finally:
        os.close(lock)


def ensure_not_in_use(file: Path) -> None:
    """Raise DatabaseUnusable if the file is gone while another process has it open.

    A new database at the same path would destroy the WAL of the one that is open.
    """
    file = resolve_path(file)
    due = monotonic() + MISSING_FILE_TIMEOUT_SECONDS
    if not poll(lambda: _has_content(file) or not is_in_use(file, or_replaced=False), due):
        raise DatabaseUnusable(
            f"{file} is gone while another process has it open: put it back, or stop that process."
        )


def _has_content(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


class DatabaseFile:
    """The file of a namespace, with its locks and its identity (device and inode)."""

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        self.write_lock = WriteLock(path.with_name(f"{path.name}.lock"), busy_timeout_seconds)
        self.lease = FileLease(path, busy_timeout_seconds)
        self.uri = f"{path.as_uri()}?mode=rw"
        self.path = str(path)
        self.busy_timeout_seconds = busy_timeout_seconds
        self._identity: tuple[int, int] | None = None

    @property
    def is_known(self) -> bool:
        """Whether its identity is remembered: no other file is accepted or created from then on."""
        return self._identity is not None

    def remember_identity(self) -> None:
        """Remember the file that is at the path now, for this process and its forks."""
        self._identity = self._find_identity()

    def acquire_lease(self) -> bool:
        """Take the lease; return whether a connection may stay open. Raises DatabaseUnavailable.

        While one to a read-only file is open, SQLite lets no other of the process write.
        """
        self.lease.acquire()
        if not self.is_known:
            create_file(Path(self.path))
        self.check_unchanged()
        return not self.is_known or os.access(self.path, os.W_OK)

    def check_unchanged(self) -> None:
        """Raise DatabaseUnavailable if the file is gone or another has taken its place.

        A write to an unlinked file is lost, and a write next to the WAL of another file destroys
        that one. So nothing is written until the file is back.
        """
        if self._identity is not None and self._identity != self._find_identity():
            raise DatabaseUnavailable(
                f"{self.path} was replaced while it was open; stop the server and use "
                "`sessionary restore`, or put the file back"
            )

    def _find_identity(self) -> tuple[int, int]:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - once per request
        except OSError as error:
            raise DatabaseUnavailable(f"{self.path} cannot be found: {error.strerror}") from error
        return found.st_dev, found.st_ino


class ReadOnlyFile(DatabaseFile):
    """A file that this process only reads: it creates no file and waits for no writer."""

    def __init__(self, path: Path, busy_timeout_seconds: float) -> None:
        super().__init__(path, busy_timeout_seconds)
        self.uri = read_only_uri(path)
        self.remember_identity()

    def acquire_lease(self) -> bool:
        """Take the lease if there is one that this user may open."""
        with suppress(OSError):
            self.lease.acquire(may_create=False)
        return True


def read_only_uri(file: Path) -> str:
    """Return a URI for reading. SQLite reads next to writers by a WAL and its index.

    In a folder that cannot be written, a file without them is taken for one that never changes.
    Raises DatabaseUnusable where a log without an index is all that holds the last writes.
    """
    target = file.resolve()
    log, index, journal = (Path(f"{target}{end}") for end in ("-wal", "-shm", "-journal"))
    uri = file.absolute().as_uri()
    if os.access(target.parent, os.W_OK) or (log.exists() and index.exists()):
        return f"{uri}?mode=ro"
    for each in (log, journal):
        if _has_content(each):
            raise DatabaseUnusable(
                f"{file}: its last writes are in {each.name}, which SQLite reads only in a folder "
                "that can be written: copy both files to one."
            )
    return f"{uri}?immutable=1"
