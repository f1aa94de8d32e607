"""The curated knowledge: read from a folder of YAML, checked, frozen.

What reads and checks is imported when it is needed: a start from the cache does without.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.knowledge import keep
from bot.knowledge.fault import Fault
from bot.knowledge.files import fingerprint
from bot.model import AskPyError, Knowledge

__all__ = ["Fault", "PackError", "fingerprint", "inspect", "load"]


class PackError(AskPyError):
    """A pack that can't be loaded; `faults` are all of its faults."""

    def __init__(self, folder: Path, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        count = f"{len(self.faults)} fault" + ("" if len(self.faults) == 1 else "s")
        super().__init__(f"The knowledge pack {folder} has {count}:\n" + "\n".join(map(str, self.faults)))


def load(folder: Path, cache: Path | None = None) -> Knowledge:
    """Load the pack in `folder`, from the `cache` folder where that holds it.

    Raises PackError with every fault that keeps it from loading.
    """
    wanted = _fingerprint(folder) if cache is not None else None
    path = keep.path_of(cache, wanted) if cache is not None and wanted is not None else None
    if path is not None and wanted is not None and (kept := keep.recall(path, wanted)) is not None:
        return kept
    knowledge, faults = inspect(folder)
    refusals = [fault for fault in faults if fault.refuses]
    if knowledge is None or refusals:
        raise PackError(folder, refusals)
    if path is not None:
        keep.keep(knowledge, path)
    return knowledge


def inspect(folder: Path) -> tuple[Knowledge | None, list[Fault]]:
    """The pack, if it can be had, and every fault found on the way (`lint` finds those of meaning)."""
    from bot.knowledge import pack  # noqa: PLC0415  pydantic's forms take longer to build than an answer takes

    try:
        return pack.inspect(folder)
    except OSError as error:
        return None, [Fault("pack.yaml", 1, "", f"{error.filename} can't be read ({error.strerror}); {_REMEDY}")]


_REMEDY = "check the permissions, or name another folder (ASKPY_KNOWLEDGE)"


def _fingerprint(folder: Path) -> str | None:
    """The digest of the pack's files, or none where they can't be listed: inspecting says why."""
    try:
        return fingerprint(folder) if folder.is_dir() else None
    except OSError:
        return None
