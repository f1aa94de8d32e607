"""The curated knowledge: a folder of YAML files is read, checked, and becomes one frozen Knowledge.

What reads and checks YAML is imported when it is needed: a start from the cache doesn't need it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from bot.knowledge import pack_cache
from bot.knowledge.fault import Fault
from bot.knowledge.files import OUT_OF_SCOPE_FILE, fingerprint, has_former_name, out_of_scope_file
from bot.model import AskPyError, Knowledge

__all__ = ["Fault", "PackError", "fingerprint", "inspect", "load"]

logger = logging.getLogger(__name__)


class PackError(AskPyError):
    """A pack that can't be loaded; `faults` are all of its faults."""

    def __init__(self, folder: Path, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        count = f"{len(self.faults)} fault" + ("" if len(self.faults) == 1 else "s")
        super().__init__(f"The knowledge pack {folder} has {count}:\n" + "\n".join(map(str, self.faults)))


def load(folder: Path, cache: Path | None = None) -> Knowledge:
    """Load a pack.

    Args:
        folder: The pack's folder.
        cache: The cache folder: the pack is taken from there if it is there, else written to it. None: no cache.

    Raises:
        PackError: The pack can't be loaded; the error has every fault that is a reason.
    """
    if has_former_name(name := out_of_scope_file(folder)):
        logger.warning("Rename %s to %s: the next release won't read it.", folder / name, OUT_OF_SCOPE_FILE)
    digest = _fingerprint(folder) if cache is not None else None
    if cache is None or digest is None:
        return _load(folder)
    path = pack_cache.path_of(cache, digest)
    knowledge = pack_cache.load(path, digest)
    if knowledge is None:
        knowledge = _load(folder)
        pack_cache.save(knowledge, path)
    return knowledge


def inspect(folder: Path) -> tuple[Knowledge | None, list[Fault]]:
    """Read and check a pack.

    Returns:
        The pack, or None where it can't be loaded, and the faults of its form in file order. (`bot.curation.lint` finds those
        of meaning.)
    """
    from bot.knowledge import pack  # noqa: PLC0415  building pydantic's models takes longer than an answer

    try:
        return pack.inspect(folder)
    except OSError as error:
        remedy = "check the permissions, or name another folder (ASKPY_KNOWLEDGE)"
        return None, [Fault("pack.yaml", 1, "", f"{error.filename} can't be read ({error.strerror}); {remedy}")]


def _load(folder: Path) -> Knowledge:
    knowledge, faults = inspect(folder)
    reasons = [fault for fault in faults if fault.refuses]
    if knowledge is None or reasons:
        raise PackError(folder, reasons)
    return knowledge


def _fingerprint(folder: Path) -> str | None:
    """The digest of the pack's files; None where they can't be listed, of which `inspect` says why."""
    try:
        return fingerprint(folder) if folder.is_dir() else None
    except OSError:
        return None
