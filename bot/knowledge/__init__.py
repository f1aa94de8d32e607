"""The curated knowledge: a folder of YAML files is read, checked, and becomes one frozen Knowledge.

What reads and checks YAML is imported when it is needed: a start from the cache doesn't need it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from bot.knowledge import pack_cache
from bot.knowledge.fault import Fault
from bot.knowledge.files import (
    OUT_OF_SCOPE_FILE,
    PackFiles,
    fingerprint,
    has_former_name,
    out_of_scope_file,
    read_files,
)
from bot.model import AskPyError, Knowledge

__all__ = ["Fault", "PackError", "PackFiles", "fingerprint", "inspect", "load", "read_files"]

logger = logging.getLogger(__name__)


class PackError(AskPyError):
    """A pack that can't be loaded; `faults` are all of its faults."""

    def __init__(self, folder: Path, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        count = f"{len(self.faults)} fault" + ("" if len(self.faults) == 1 else "s")
        super().__init__(f"The knowledge pack {folder} has {count}:\n" + "\n".join(map(str, self.faults)))


def load(source: Path | PackFiles, cache: Path | None = None) -> Knowledge:
    """Load a pack.

    Args:
        source: The pack's folder, or its files as they were read before.
        cache: The cache folder: the pack is taken from there if it is there, else written to it. None: no cache.

    Raises:
        PackError: The pack can't be loaded; the error has every fault that is a reason.
    """
    files = _files(source)
    if has_former_name(name := out_of_scope_file(files.contents)):
        logger.warning("Rename %s to %s: the next release won't read it.", files.folder / name, OUT_OF_SCOPE_FILE)
    path = pack_cache.path_of(cache, files.fingerprint) if cache is not None else None
    knowledge = pack_cache.load(path, files.fingerprint) if path is not None else None
    if knowledge is None:
        knowledge, faults = inspect(files)
        reasons = [fault for fault in faults if fault.refuses]
        if knowledge is None or reasons:
            raise PackError(files.folder, reasons)
        if path is not None:
            pack_cache.save(knowledge, path)
    return knowledge


def inspect(source: Path | PackFiles) -> tuple[Knowledge | None, list[Fault]]:
    """Check a pack, given as for `load`.

    Returns:
        The pack, or None where it can't be loaded, and the faults of its form in file order. (`bot.curation.lint` finds those
        of meaning.)
    """
    from bot.knowledge import pack  # noqa: PLC0415  building pydantic's models takes longer than an answer

    return pack.inspect(_files(source))


def _files(source: Path | PackFiles) -> PackFiles:
    return source if isinstance(source, PackFiles) else read_files(source)
