"""The menu of a pack's entries."""

from __future__ import annotations

from bot.model import Entry, Knowledge, Step
from bot.slack import limits
from bot.slack.blocks import plain_text
from bot.slack.limits import Block, size
from bot.slack.words import Words

ENTRY = "entry"
"""The menu's name, and its block's."""


def menu(entry: str, knowledge: Knowledge, words: Words) -> Block:
    """A menu of all entries; where they are too many for one, a menu that is filled as somebody types."""
    kinds = {"topic": "home_topics", "step": "steps", "library": "libraries"}
    groups = [
        {"label": plain_text(words[name], limits.OPTION_LABEL), "options": options}
        for kind, name in kinds.items()
        if (options := [option(each) for each in entries(knowledge) if each.kind == kind])
    ]
    shared = {"action_id": ENTRY, "placeholder": plain_text(words["means_pick"], limits.PLACEHOLDER)}
    found = knowledge.by_id.get(entry)
    shared |= {"initial_option": option(found)} if found is not None and found in entries(knowledge) else {}
    if sum(len(group["options"]) for group in groups) > limits.OPTIONS:
        return {"type": "external_select", "min_query_length": 0, **shared}
    if len(groups) == 1:
        return {"type": "static_select", "options": groups[0]["options"], **shared}
    return {"type": "static_select", "option_groups": groups, **shared}


def entries(knowledge: Knowledge) -> list[Entry]:
    """The entries that a menu can name."""
    return [entry for entry in knowledge.entries if size(entry.id) <= limits.OPTION_VALUE]


def option(entry: Entry) -> Block:
    """An entry in a menu."""
    label = f"{entry.number}. {entry.title}" if isinstance(entry, Step) else entry.label
    return {"text": plain_text(label, limits.OPTION_LABEL), "value": entry.id}


def suggested(typed: str, knowledge: Knowledge) -> list[Block]:
    """The menu's options for what has been typed so far: those that have all the words, the beginning of one at least."""
    wanted = typed.casefold().split()
    found = [
        option(entry)
        for entry in entries(knowledge)
        if all(word in f"{entry.label} {entry.title} {entry.id}".casefold() for word in wanted)
    ]
    return found[: limits.OPTIONS]
