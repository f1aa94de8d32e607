"""Dialogues: YAML files of what is said and what comes back, for every front end to run.

A turn has `say`, and of what comes back `kind` and any of: `ids` (all of them; the order counts where one entry is first
among others, and not in lists and comparisons), `first`, `holds` (some of them), `says` (some of the text).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[1] / "dialogues"
UNORDERED = ("list", "compare")


@dataclass(frozen=True)
class Turn:
    """One thing said, and what has to come back."""

    say: str
    kind: str
    ids: Sequence[str] | None = None
    first: str = ""
    holds: Sequence[str] = ()
    says: str = ""

    def fault(self, kind: str, ids: Sequence[str], text: str) -> str:
        """What is wrong with a reply, or nothing."""
        wanted = sorted(self.ids or ()) if self.kind in UNORDERED else list(self.ids or ())
        given = sorted(ids) if kind in UNORDERED else list(ids)
        fine = (
            kind == self.kind
            and (self.ids is None or given == wanted)
            and (not self.first or list(ids[:1]) == [self.first])
            and set(self.holds) <= set(ids)
            and self.says in text
        )
        return "" if fine else f"{self.say!r} got {kind} {' '.join(ids)}: {text[:80]!r}"


@dataclass(frozen=True)
class Dialogue:
    """A conversation, from its first turn to its last."""

    name: str
    turns: tuple[Turn, ...]


def read() -> dict[str, Dialogue]:
    """Every dialogue, by its file and name."""
    found = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        for each in yaml.load(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
            turns = tuple(Turn(**turn) for turn in each["turns"])
            found[f"{file.stem}: {each['name']}"] = Dialogue(each["name"], turns)
    return found


DIALOGUES = read()
