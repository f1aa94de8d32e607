"""A pack's folder as it is, or as it was at a git revision."""

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
class PackCheckout:
    """A pack's folder, and its name in messages."""

    folder: Path
    name: str


@contextmanager
def check_out(name: str, pack: Path) -> Iterator[PackCheckout]:
    """The folder `name`, or where there is none, the folder `pack` at the git revision `name`, in a temporary folder.

    Raises:
        AskPyError: `name` is neither, or git or the checkout is missing.
    """
    if Path(name).is_dir():
        yield PackCheckout(Path(name), name)
        return
    with TemporaryDirectory(prefix="askpy-diff-") as temporary:
        folder = Path(temporary).resolve()
        with ZipFile(io.BytesIO(_archive(name, pack))) as archive:
            archive.extractall(folder)
        yield PackCheckout(folder, f"{pack.name} at {name}")


def _archive(revision: str, pack: Path) -> bytes:
    """The pack's files at that revision, as a zip."""
    if not pack.is_dir():
        raise AskPyError(
            f"'{revision}' is no folder, and without a pack in {pack} there is no git history to look it up in."
        )
    if _git(pack, "rev-parse", "--show-prefix") is None:
        text = f"'{revision}' is no folder, and {pack} is not in a git checkout. Name two folders that hold packs."
        raise AskPyError(text)
    commit = _git(pack, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise AskPyError(
            f"'{revision}' is neither a folder nor a git revision. Name a folder, a branch, a tag or a commit."
        )
    archive = _git(pack, "archive", "--format=zip", commit.decode().strip())
    if archive is None:
        raise AskPyError(f"There is no folder {pack} at the git revision '{revision}'.")
    return archive


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Standard output of git, run in `folder`; None if it fails. Run there, `git archive` packs only that folder."""
    try:
        process = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise AskPyError("git isn't installed here. Install it, or name two folders that hold packs.") from None
    return process.stdout if process.returncode == 0 else None
