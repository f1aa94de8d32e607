"""Revisions: a state of the pack as a folder, be it a folder already or a git revision of one."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from bot.model import AskPyError


@dataclass(frozen=True, slots=True)
class Checkout:
    """A pack's folder, and what a person calls it."""

    folder: Path
    name: str


@contextmanager
def checked_out(named: str, pack: Path) -> Iterator[Checkout]:
    """The folder `named`, or, where there is none, the folder `pack` as it was at the git revision `named`."""
    if Path(named).is_dir():
        yield Checkout(Path(named), named)
        return
    with TemporaryDirectory(prefix="askpy-diff-") as temporary:
        target = Path(temporary).resolve()
        with ZipFile(io.BytesIO(_archive(named, pack))) as archive:
            archive.extractall(target)
        yield Checkout(target, f"{pack.name} at {named}")


def _archive(named: str, pack: Path) -> bytes:
    """The pack's files at that revision, as a zip; raises AskPyError where there is none."""
    if not pack.is_dir():
        raise AskPyError(
            f"'{named}' is no folder, and without a pack in {pack} there is no git history to look it up in."
        )
    if _git(pack, "rev-parse", "--show-prefix") is None:
        text = f"'{named}' is no folder, and {pack} is not in a git checkout. Name two folders that hold packs."
        raise AskPyError(text)
    commit = _git(pack, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}")
    if commit is None:
        raise AskPyError(
            f"'{named}' is neither a folder nor a git revision. Name a folder, a branch, a tag or a commit."
        )
    files = _git(pack, "archive", "--format=zip", commit.decode().strip())
    if files is None:
        raise AskPyError(f"There is no folder {pack} at the git revision '{named}'.")
    return files


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git says in that folder, or none where it fails. In a folder, `archive` packs that folder alone."""
    try:
        ran = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise AskPyError("git isn't installed here. Install it, or name two folders that hold packs.") from None
    return ran.stdout if ran.returncode == 0 else None
