"""Entries as YAML, and a new pack's folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.model import AskPyError
from bot.tools.exchange.scalars import scalar, value

LONGEST_ID = 48
"""Characters of an id that is made from a title."""


@dataclass(slots=True)
class Draft:
    """An entry that is to be written."""

    id: str
    title: str
    answer: str
    asks: list[str]
    not_asks: list[str] = field(default_factory=list)


def written(draft: Draft) -> str:
    """The entry as YAML, with a line feed at its end."""
    lines = [f"- id: {draft.id}", f"  title: {value(draft.title, 2)}", "  asks:"]
    lines += [f"    - {scalar(text)}" for text in draft.asks]
    if draft.not_asks:
        lines += ["  not_asks:", *(f"    - {scalar(text)}" for text in draft.not_asks)]
    return "\n".join([*lines, f"  answer: {value(draft.answer, 2)}", ""])


def slug(text: str, taken: Collection[str] = (), otherwise: str = "question") -> str:
    """An id made from a title, unlike those that are taken."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("'", "").replace("’", ""))
    whole = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode()).strip("-")
    if len(whole) > LONGEST_ID:
        whole = whole[: LONGEST_ID + 1].rpartition("-")[0] or whole[:LONGEST_ID]
    name = base = whole or otherwise
    number = 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def write_pack(folder: Path, name: str, drafts: Sequence[Draft]) -> None:
    """Write pack.yaml and answers.yaml into a folder that is new or empty. Raises AskPyError where it can't."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise AskPyError(f"{folder} has files in it, and nothing is overwritten. Name a new folder with --into.")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pack.yaml").write_text(f"name: {scalar(name, 'value')}\n", encoding="utf-8", newline="\n")
        (folder / "answers.yaml").write_text("\n".join(map(written, drafts)), encoding="utf-8", newline="\n")
    except FileExistsError:
        raise AskPyError(f"{folder} is a file. Name a new folder with --into.") from None
    except OSError as error:
        raise AskPyError(f"{folder} can't be written: {error.strerror or error}. Name another with --into.") from None
