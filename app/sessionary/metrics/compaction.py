"""Merges the metric files of exited workers into one, so that they do not pile up."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from sessionary.durations import monotonic
from sessionary.store.locks import try_lock
from sessionary.store.waits import poll

# Neither has types.
_MetricFile: Any = MmapedDict
_merge: Any = MultiProcessCollector.merge
MAX_WAIT_SECONDS = 5.0
_EXITED = "0"  # in place of a process id in a file's name: no process has this one


@contextmanager
def compacted(folder: Path) -> Iterator[None]:
    """Merge the files of exited workers; in the block no other process reads or merges.

    Raises TimeoutError if another process does so for too long.
    """
    with (folder / "lock").open("w") as lock:
        due = monotonic() + MAX_WAIT_SECONDS
        if not poll(lambda: try_lock(lock.fileno(), fcntl.LOCK_EX), due):
            raise TimeoutError
        for kind in ("counter", "histogram"):
            exited = [file for file in folder.glob(f"{kind}_*.db") if _has_exited(file)]
            if exited:
                _merge_into(folder / f"{kind}_{_EXITED}.db", exited)
        yield


def _has_exited(file: Path) -> bool:
    """Whether the process that wrote this file has exited."""
    pid = file.stem.rpartition("_")[2]
    try:
        if pid != _EXITED:
            os.kill(int(pid), 0)
    except OSError as error:  # or PermissionError: the process lives
        return isinstance(error, ProcessLookupError)
    return False


def _merge_into(target: Path, exited: Sequence[Path]) -> None:
    files = [str(file) for file in (target, *exited) if file.exists()]
    draft = target.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    merged = _MetricFile(str(draft))
    for metric in _merge(files, accumulate=False):
        for sample in metric.samples:
            names, values = list(sample.labels), list(sample.labels.values())
            key = mmap_key(metric.name, sample.name, names, values, metric.documentation)
            merged.write_value(key, sample.value, 0.0)
    merged.close()
    draft.replace(target)
    for file in exited:
        file.unlink()
