"""Files kept between starts: each is there whole or not at all, and of each kind those that were used last stay."""

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
except ImportError:  # Windows: whoever wants a file makes it
    fcntl = None  # type: ignore[assignment]

PATIENCE = 30.0
"""Seconds that one process waits for what another is making; longer than it takes, and shorter than a start may."""
LOOK_EVERY = 0.05
"""Seconds between two looks whether it is made: a lock can be waited for only without an end."""

logger = logging.getLogger(__name__)


def put(path: Path, write: Callable[[BinaryIO], object], most: int) -> None:
    """Write a file named `kind-...`; of its kind, the `most` that were used last stay. It is no fault if it can't be written."""
    beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # what curators wrote is in it
        try:
            with open(beside, "wb", opener=_ours) as file:
                write(file)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        kind = path.name.partition("-")[0]
        for old in sorted(path.parent.glob(f"{kind}-*"), key=_used)[:-most]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.info("The cache can't be written (%s); set ASKPY_CACHE to a folder that can.", error.strerror)


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """One at a time, so that what several processes and threads want to keep is made once: look again once it is your turn.

    It is no promise. Whoever can't lock, or has waited for long, goes on all the same.
    """
    lock = path.with_name(f"lock-{path.name}")  # of a kind of its own: not counted among what is kept
    held = _lock(lock) if fcntl is not None else None
    try:
        yield
    finally:
        if held is not None:
            with suppress(OSError):
                lock.unlink(missing_ok=True)  # who waits for it finds the file made; who comes now does so as well
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_UN)  # closing isn't enough where a process was forked meanwhile
            os.close(held)


def _lock(lock: Path) -> int | None:
    """A file, held; none where it can't be opened or locked, or isn't given up in time."""
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        held = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return None
    until = monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return held
        except BlockingIOError:
            if monotonic() < until:
                sleep(LOOK_EVERY)
                continue
        except OSError:  # this file system has no locks
            with suppress(OSError):
                lock.unlink(missing_ok=True)
        os.close(held)
        return None


def _ours(path: str, flags: int) -> int:
    """Opens a file that nobody else may read."""
    return os.open(path, flags, 0o600)


def use(path: Path) -> None:
    """Note that a file was of use."""
    with suppress(OSError):
        os.utime(path)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has just removed it
        return 0.0
