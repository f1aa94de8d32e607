"""Files kept between starts: each is there whole or not at all, and of each kind those that were used last stay."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

logger = logging.getLogger(__name__)


def put(path: Path, write: Callable[[BinaryIO], object], most: int) -> None:
    """Write a file named `kind-...`; of its kind, the `most` that were used last stay. It is no fault if it can't be written."""
    beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # what curators wrote is in it
        try:
            with beside.open("wb") as file:
                write(file)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        kind = path.name.partition("-")[0]
        for old in sorted(path.parent.glob(f"{kind}-*"), key=_used)[:-most]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.info("The cache can't be written (%s); set ASKPY_CACHE to a folder that can.", error.strerror)


def use(path: Path) -> None:
    """Note that a file was of use."""
    with suppress(OSError):
        os.utime(path)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has just removed it
        return 0.0
