"""The file of a SQLite database: made for us alone, and watched, because SQLite itself doesn't notice that it is deleted."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

FileIdentity = tuple[int, int]
"""A file's device and inode."""


def identity_of(path: str | Path) -> FileIdentity | None:
    """The identity of the file at a path; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  half the cost of Path.stat, and called with each statement
    except OSError:
        return None
    return found.st_dev, found.st_ino


def make_file(path: Path) -> None:
    """Make the folder (mode 0700) and the file (0600) where they are missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with suppress(OSError):  # SQLite's own message is better
            path.touch(mode=0o600)


class SqliteFile:
    """The file at a path, and whether it still is the one that was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: FileIdentity | None = None

    def open(self) -> None:
        """Make the file if it is missing, and note which one is being opened."""
        make_file(self._path)
        self._opened = identity_of(self._path)

    def close(self) -> None:
        """Note that it isn't open any more."""
        self._opened = None

    @property
    def is_lost(self) -> bool:
        """Whether the file that is open was deleted or replaced. SQLite would go on with it, and it is gone at a restart."""
        return self._opened is not None and identity_of(self._path) != self._opened

    def wal_identity(self) -> FileIdentity | None:
        """The identity of the write-ahead log beside it."""
        return identity_of(f"{self._path}-wal")

    def remove_stale_wal(self, still_open: Collection[FileIdentity]) -> None:
        """Remove the lost file's log: SQLite would play it back into the file that has taken its place.

        Args:
            still_open: the logs that this process has open, whose inodes can't have been given to another file meanwhile.
        """
        if sys.platform == "win32" or identity_of(self._path) is None:  # into an empty file SQLite plays nothing back
            return
        import fcntl  # noqa: PLC0415  not on Windows, where nobody can delete a file that is open

        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # else another process could have made a new log after we had looked
            if self.wal_identity() in still_open:
                for suffix in ("-wal", "-shm"):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        finally:
            os.close(folder)
