"""The files of worker processes that are gone, made into one: none is lost, and none piles up."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

# Neither says its types.
_Numbers: Any = MmapedDict
_merge: Any = MultiProcessCollector.merge
_OF_THE_DEAD = "0"  # stands in a file's name for the process: none has this number


@contextmanager
def folded(folder: Path) -> Iterator[None]:
    """Fold what the dead have left; nobody else reads or folds meanwhile."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for kind in ("counter", "histogram"):
            left = [file for file in folder.glob(f"{kind}_*.db") if _is_over(_process(file))]
            if left:
                _fold(folder / f"{kind}_{_OF_THE_DEAD}.db", left)
        yield


def _process(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _is_over(process: int) -> bool:
    if process == int(_OF_THE_DEAD):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def _fold(into: Path, left: Sequence[Path]) -> None:
    files = [str(file) for file in (into, *left) if file.exists()]
    draft = into.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    written = _Numbers(str(draft))
    for metric in _merge(files, accumulate=False):
        for sample in metric.samples:
            names, values = list(sample.labels), list(sample.labels.values())
            key = mmap_key(metric.name, sample.name, names, values, metric.documentation)
            written.write_value(key, sample.value, 0.0)
    written.close()
    draft.replace(into)
    for file in left:
        file.unlink()
