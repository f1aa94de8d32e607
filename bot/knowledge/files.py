"""The files of a pack: their names, their content as it was at one moment, and the digest of all of it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.knowledge.fault import Fault

PACK_FILE = "pack.yaml"
DEFAULT_VOICE = Path(__file__).with_name("voice.yaml")

OUT_OF_SCOPE_FILE = "out_of_scope.yaml"
"""The file of what a pack doesn't cover."""
_OUT_OF_SCOPE_STEM, _FORMER_STEM = "out_of_scope", "strangers"
"""Its name without extension, and the name of earlier releases, which this release is the last to read."""

MAX_FILE_SIZE = 2_000_000
"""Bytes of one file: many times what people write into one, and read within a second."""
MAX_PACK_SIZE = 8_000_000
"""Bytes of all files."""
MAX_FILES = 1_000
"""YAML files of a pack, and folders that are looked into."""


@dataclass(frozen=True, slots=True)
class PackFiles:
    """A pack's files, read once: the digest, the values and the lines of faults are those of the same bytes.

    Attributes:
        folder: The pack's folder.
        contents: The content of each file, by its name relative to the folder, in the order of names.
        default_voice: The content of the voice that a pack overrides.
        faults: Why files that there are aren't in `contents`.
        fingerprint: SHA-256 of all of it: equal as long as loading gives the same.
    """

    folder: Path
    contents: Mapping[str, bytes]
    default_voice: bytes
    faults: tuple[Fault, ...] = ()
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256()
        unread = {f"{fault.file}\0{fault.text}": b"" for fault in self.faults}
        for name, content in {f"\0{DEFAULT_VOICE.name}": self.default_voice, **self.contents, **unread}.items():
            digest.update(f"{name}\0{len(content)}\0".encode(errors="surrogateescape") + content)
        object.__setattr__(self, "fingerprint", digest.hexdigest())


def read_files(folder: Path) -> PackFiles:
    """Read a pack's folder. Raises nothing: what can't be read is among the faults, and counts in the fingerprint as such."""
    contents: dict[str, bytes] = {}
    faults: list[Fault] = []
    size = 0
    paths: list[Path] = []
    try:
        if os.path.lexists(folder / PACK_FILE):  # else it may be any folder, with whatever below it
            paths = files_of(folder)
    except OSError as error:
        faults.append(_folder_fault(error))
    for path in paths[:MAX_FILES]:
        name = path.relative_to(folder).as_posix()
        try:
            contents[name] = read_file(path)
        except OSError as error:
            faults.append(Fault(name, 1, "", unreadable(error)))
            continue
        size += len(contents[name])
        if size > MAX_PACK_SIZE:
            text = (
                f"the files up to this one have more than {MAX_PACK_SIZE:,} bytes; take out what is no part of the pack"
            )
            faults.append(Fault(name, 1, "", text))
            break
    if len(paths) > MAX_FILES:
        remedy = "name a folder that holds nothing but the pack (ASKPY_KNOWLEDGE), or join files"
        faults.append(Fault(PACK_FILE, 1, "", f"beside it are more than {MAX_FILES:,} files; {remedy}"))
    return PackFiles(folder, contents, DEFAULT_VOICE.read_bytes(), tuple(faults))


def fingerprint(folder: Path) -> str:
    """The fingerprint of a pack's files as they are now."""
    return read_files(folder).fingerprint


def read_file(path: Path) -> bytes:
    """The content of an ordinary file. Raises OSError for any other, and for one that is larger than MAX_FILE_SIZE."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # a pipe would wait for a writer, a device may never end
        raise _NotOrdinaryError
    if status.st_size > MAX_FILE_SIZE:
        raise _TooLargeError
    return path.read_bytes()


class _NotOrdinaryError(OSError):
    pass


class _TooLargeError(OSError):
    pass


class _TooManyFoldersError(OSError):
    pass


def unreadable(error: OSError) -> str:
    """Why `read_file` has failed, and what helps, as the text of a fault."""
    match error:
        case _NotOrdinaryError() | IsADirectoryError():
            return "is not an ordinary file; take it out of the folder, or give it another ending"
        case _TooLargeError():
            return f"is larger than {MAX_FILE_SIZE:,} bytes; divide it among several files"
        case FileNotFoundError():
            return "can't be read: it has just gone, or it is a link that leads nowhere; restore it or take it out"
        case _:
            return f"can't be read ({error.strerror}); check the file's permissions"


def files_of(folder: Path) -> list[Path]:
    """The paths of the pack's YAML files, in the order of their names.

    Names that begin with a dot are skipped, files and folders; links are followed. The list ends above MAX_FILES. Raises OSError
    for a folder that can't be listed.
    """
    paths: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        place = _identity(parent)
        if place in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [Path(parent, name) for name in names if _is_yaml(name)]
        if len(paths) > MAX_FILES:
            break
        if len(seen) > MAX_FILES:
            raise _TooManyFoldersError
    return sorted(paths)


def _identity(folder: str) -> tuple[int, int]:
    """The device and inode of a folder; zeros if it has just gone."""
    try:
        status = Path(folder).stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_dev, status.st_ino


def _is_yaml(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix in (".yaml", ".yml")


def _folder_fault(error: OSError) -> Fault:
    if isinstance(error, _TooManyFoldersError):
        text = f"beside it are more than {MAX_FILES:,} folders; name a folder that holds nothing but the pack (ASKPY_KNOWLEDGE)"
        return Fault(PACK_FILE, 1, "", text)
    remedy = "check the permissions, or name another folder (ASKPY_KNOWLEDGE)"
    return Fault(PACK_FILE, 1, "", f"{error.filename} can't be read ({error.strerror}); {remedy}")


def out_of_scope_file(files: Container[str]) -> str:
    """The name of the file of what a pack doesn't cover, among the names of its files; OUT_OF_SCOPE_FILE if it has none yet."""
    names = (f"{stem}{suffix}" for stem in (_OUT_OF_SCOPE_STEM, _FORMER_STEM) for suffix in (".yaml", ".yml"))
    return next((name for name in names if name in files), OUT_OF_SCOPE_FILE)


def is_out_of_scope_file(file: str) -> bool:
    """Whether a file, named relative to its pack, lists what the pack doesn't cover."""
    return file.rpartition(".")[0] in (_OUT_OF_SCOPE_STEM, _FORMER_STEM)


def has_former_name(file: str) -> bool:
    """Whether it has the name of earlier releases."""
    return file.rpartition(".")[0] == _FORMER_STEM


def _raise(error: OSError) -> None:
    """`os.walk` would skip a folder that it can't list, and the pack would lack entries without a fault."""
    if not isinstance(error, FileNotFoundError):
        raise error
