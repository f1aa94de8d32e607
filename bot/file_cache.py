"""A cache of files in one folder: written atomically, built by one process at a time, the least recently used removed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows: no locks, so that several processes may build the same file
    fcntl = None  # type: ignore[assignment]

LOCK_TIMEOUT = 30.0
"""Seconds that one process waits for another's build; longer than a build takes, shorter than a start may take."""
POLL_INTERVAL = 0.05
"""Seconds between two attempts to take the lock: flock has no timeout of its own."""

logger = logging.getLogger(__name__)


def write_atomic(path: Path, write: Callable[[BinaryIO], object], limit: int) -> None:
    """Write a cache file, whole or not at all, and remove the least recently used files of its kind.

    A folder that can't be written is logged and otherwise ignored: the cache is optional.

    Args:
        path: The file, named `kind-...`; the kind is the part of the name before the first hyphen.
        write: Writes the content to the open binary file.
        limit: How many files of this kind stay in the folder.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds what curators wrote
        try:
            with open(temporary, "wb", opener=_open_private) as file:
                write(file)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        kind = path.name.partition("-")[0]
        for old in sorted(path.parent.glob(f"{kind}-*"), key=_last_used)[:-limit]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.info("The cache can't be written (%s); set ASKPY_CACHE to a folder that can.", error.strerror)


@contextmanager
def build_lock(path: Path) -> Iterator[None]:
    """Hold the lock for building `path`; look for the file once more inside, another process may have built it meanwhile.

    Best effort: where locks don't work, or after LOCK_TIMEOUT seconds, the block runs without the lock.
    """
    lock_path = path.with_name(f"lock-{path.name}")  # its own kind, so that it doesn't count as a cached file
    lock = _acquire(lock_path) if fcntl is not None else None
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                lock_path.unlink(missing_ok=True)  # whoever waits for it, or comes now, finds the file built
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_UN)  # closing isn't enough where a process was forked meanwhile
            os.close(lock)


def _acquire(lock_path: Path) -> int | None:
    """A locked file descriptor, or None where the file can't be opened or locked within LOCK_TIMEOUT."""
    try:
        lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock_path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return None
    deadline = monotonic() + LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if monotonic() < deadline:
                sleep(POLL_INTERVAL)
                continue
        except OSError:  # this file system has no locks
            with suppress(OSError):
                lock_path.unlink(missing_ok=True)
        os.close(descriptor)
        return None


def touch(path: Path) -> None:
    """Set a file's time of use to now, so that it is not among the least recently used."""
    with suppress(OSError):
        os.utime(path)


def _open_private(path: str, flags: int) -> int:
    """An `opener` for files that only their owner may read."""
    return os.open(path, flags, 0o600)


def _last_used(path: Path) -> float:
    """Time of last use in seconds since 1970; 0 if another process has just removed the file."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
