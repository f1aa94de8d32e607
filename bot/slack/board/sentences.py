"""Sentences with people, channels and entries in them, as elements in which nothing is parsed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Change, Knowledge
from bot.slack.limits import Block, cut
from bot.slack.words import Words

LINE = 300
"""Units of one phrasing where there are many."""
Leaf = str | Block


def fill(line: str, **parts: Leaf) -> tuple[Block, ...]:
    """A sentence whose {names} are filled in, as elements in which nothing is parsed; unknown names stay as they are."""
    leaves: list[Block] = []
    for n, piece in enumerate(re.split(r"\{(\w+)\}", line)):
        told: Leaf = parts.get(piece, f"{{{piece}}}") if n % 2 else piece
        if isinstance(told, dict):
            leaves.append(told)
        elif told:
            leaves.append({"type": "text", "text": told})
    return tuple(leaves)


def spoken(line: str, **parts: str) -> str:
    """The same as plain text."""
    return "".join(leaf["text"] for leaf in fill(line, **parts))


def person(by: str, words: Words) -> Leaf:
    """Who did it, as an element that names and doesn't ping."""
    user = by.rpartition(":")[2]
    return {"type": "user", "user_id": user} if user else words["curate_somebody"]


def channel(name: str) -> Block:
    """A channel by its id."""
    return {"type": "channel", "channel_id": name}


def quoted(text: str) -> str:
    """A phrasing on one line, in quotes."""
    return f"“{cut(' '.join(text.split()), LINE)}”"


def in_quotes(name: str) -> str:
    """A name in quotes, where it is more than a word."""
    return quoted(name) if " " in name else name


def named(entry: str, knowledge: Knowledge) -> str:
    """What an entry is called; its id where the pack no longer has it."""
    found = knowledge.by_id.get(entry)
    return found.label if found is not None else entry


def titled(entry: str, knowledge: Knowledge) -> str:
    """The same within a sentence: in quotes where it may be one itself."""
    return in_quotes(named(entry, knowledge))


def already(change: Change, knowledge: Knowledge, words: Words) -> tuple[Block, ...]:
    """Who was here before, and what they did."""
    key = "taken_stranger" if change.kind == "not_ask" and not change.entry else f"taken_{change.kind}"
    return fill(
        words[key],
        who=person(change.by, words),
        text=quoted(change.text),
        title=quoted(change.title),
        entry=titled(change.entry, knowledge),
    )


def taken(change: Change, knowledge: Knowledge, words: Words) -> tuple[Block, ...]:
    """The same, where it keeps an edit from being saved."""
    return (*already(change, knowledge, words), *fill(f" {words['taken_what_now']}"))


def described(batch: Sequence[Change], knowledge: Knowledge, words: Words) -> str:
    """What a batch of edits says, a line for each kind of thing said."""
    lines: dict[tuple[str, str], list[Change]] = {}
    for change in batch:
        lines.setdefault((change.kind, change.entry), []).append(change)
    told = []
    for (kind, entry), changes in lines.items():
        key = "done_stranger" if kind == "not_ask" and not entry else f"done_{kind}"
        first = quoted(changes[0].title if kind == "entry" else changes[0].text)
        texts = first if len(changes) == 1 else spoken(words["and_more"], first=first, count=str(len(changes) - 1))
        told.append(spoken(words[key], texts=texts, entry=titled(entry, knowledge)))
    return "\n".join(told)
