"""Modals and the Home tab as Slack's views, within their limits. Pure: what they remember travels in themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from bot.model import Choice, Entry, Group, Knowledge, Library, Step
from bot.reply.wording import choice_of
from bot.slack import limits
from bot.slack.blocks import aside, button, plain_text, prose, row, rows, title
from bot.slack.limits import Block, cut
from bot.slack.values import Modal, key_of
from bot.slack.words import Words

View = dict[str, Any]

FRONT = "front"
KINDS = "kinds"
TOPICS = "topics"
PAGE = 30
"""Rows on a page of the Home tab: a phone's scrolling, and far from Slack's limits."""
LONGEST_SEARCH = 500
"""Characters that may be typed into the search."""
MOST_EXAMPLES = 5
ROOM = 240_000
"""Bytes of a view; Slack refuses those over 250 kB."""
HEARD = "words"
"""The action_id of the search's input."""


# --- modals


def modal(state: Modal, blocks: Sequence[Block], words: Words, back: int | None = None) -> View:
    """A modal around `blocks`; with a button that goes `back` so many pages, or none."""
    view = {
        "type": "modal",
        "callback_id": "search" if state.search else "answer",
        "title": plain_text(words["modal_title"], limits.MODAL_TITLE),
        "close": plain_text(words["close"], limits.MODAL_TITLE),
        "private_metadata": state.write(),
    }
    drawn = [*([_search(state, words)] if state.search else []), *blocks]
    if state.search:
        view["submit"] = plain_text(words["search"], limits.MODAL_TITLE)
    if back is not None:
        drawn = [*drawn[: limits.BLOCKS["modal"] - 1], *rows([button(words["back"], "back", {"value": str(back)})])]
    return fitted(view, drawn)


def search_page(knowledge: Knowledge, words: Words) -> list[Block]:
    """What a search shows before it is used: examples."""
    return [aside(words["home_try"]), *rows(_asking(examples(knowledge)))]


def _search(state: Modal, words: Words) -> Block:
    """The input; a new name with each page, or Slack would keep what was typed before."""
    element = {
        "type": "plain_text_input",
        "action_id": HEARD,
        "max_length": LONGEST_SEARCH,
        "placeholder": plain_text(words["search_hint"], limits.PLACEHOLDER),
    }
    if state.question.strip():
        element["initial_value"] = cut(state.question, LONGEST_SEARCH)
    label = plain_text(words["search_label"], limits.INPUT_LABEL)
    return {"type": "input", "block_id": f"search:{key_of(*state.trail)}", "label": label, "element": element}


# --- the Home tab


def home(knowledge: Knowledge, page: str, words: Words) -> View:
    """The Home tab at `page` ("group:backend", "group:all@2"); the front page where there is none by that name."""
    where, _, number = page.partition("@")
    name, _, wanted = where.partition(":")
    heading, back, lines = "", FRONT, list[Block]()
    match name:
        case "group":
            group = next((each for each in knowledge.groups if each.id == wanted), None)
            heading = group.title if group is not None else ""
            back = FRONT if group in _sides(knowledge) else KINDS
            lines = [_entry(card, words) for card in knowledge.members(group)] if group is not None else []
        case "steps" if wanted in knowledge.by_id:
            heading = knowledge.by_id[wanted].title
            lines = [_entry(each, words) for each in (knowledge.by_id[wanted], *knowledge.steps(wanted))]
        case "kinds":
            heading = words["home_kinds"]
            lines = [_group(group, knowledge, words) for group in _kinds(knowledge)]
        case "topics":
            heading = words["home_topics"]
            lines = [_entry(topic, words) for topic in _topics(knowledge)]
    if not lines:
        return fitted({"type": "home"}, _front(knowledge, words))
    at = min(int(number) if number.isdecimal() and len(number) < 5 else 0, (len(lines) - 1) // PAGE)
    turns = [("earlier", at - 1)] if at else []
    turns += [("more", at + 1)] if (at + 1) * PAGE < len(lines) else []
    ways = [button(words[key], f"go:{key}", {"value": f"{where}@{to}"}) for key, to in turns]
    shown = lines[at * PAGE : (at + 1) * PAGE]
    for n, line in enumerate(shown, 1):
        line["accessory"]["action_id"] += f":{n}"
    returning = button(words["back"], "go:back", {"value": back})
    return fitted({"type": "home"}, [title(heading), *rows([returning]), *shown, *rows(ways)])


def _front(knowledge: Knowledge, words: Words) -> list[Block]:
    """What to ask, and the ways to look around."""
    ways = [(group.label, f"group:{group.id}") for group in _sides(knowledge)]
    ways += [(words["home_kinds"], KINDS)] if _kinds(knowledge) else []
    ways += [(topic.title, f"steps:{topic.id}") for topic in _topics(knowledge) if knowledge.steps(topic.id)]
    ways += [(words["home_topics"], TOPICS)] if _topics(knowledge) else []
    look = [button(label, f"go:{n}", {"value": page}) for n, (label, page) in enumerate(ways[: limits.ACTIONS], 1)]
    search = button(words["search"], "search", {"style": "primary", "value": "search"})
    return [
        title(words["home_title"]),
        *prose(words["home_intro"]),
        *rows([search]),
        aside(words["home_try"]),
        *rows(_asking(examples(knowledge))),
        *([aside(words["home_browse"]), *rows(look)] if look else []),
    ]


def _group(group: Group, knowledge: Knowledge, words: Words) -> Block:
    named = ", ".join(card.name for card in knowledge.members(group))
    more = {"value": f"group:{group.id}", "accessibility_label": _label(words["show"], group.title)}
    return row(group.title, named, button(words["show"], "go", more))


def _entry(entry: Entry, words: Words) -> Block:
    choice = choice_of(entry)
    told = entry.summary or entry.what if isinstance(entry, Library) else ""
    name = f"{entry.number}. {entry.title}" if isinstance(entry, Step) else choice.label
    more = {"value": choice.ask, "accessibility_label": _label(words["open_item"], choice.label)}
    return row(name, told, button(words["open_item"], "ask", more))


def _label(verb: str, what: str) -> str:
    return cut(f"{verb}: {what}", limits.BUTTON_LABEL)


# --- what there is


def examples(knowledge: Knowledge) -> list[Choice]:
    """Questions to begin with: the pack's own, else its first entries."""
    if knowledge.voice.examples:
        return [Choice(example, example) for example in knowledge.voice.examples[:MOST_EXAMPLES]]
    return [choice_of(entry) for entry in knowledge.entries[:MOST_EXAMPLES]]


def _asking(choices: Iterable[Choice]) -> list[Block]:
    return [button(choice.label, f"ask:example-{n}", {"value": choice.ask}) for n, choice in enumerate(choices, 1)]


def _topics(knowledge: Knowledge) -> list[Entry]:
    return [entry for entry in knowledge.entries if entry.kind == "topic"]


def _sides(knowledge: Knowledge) -> list[Group]:
    sides = {entry.side for entry in knowledge.entries if isinstance(entry, Library)}
    return [group for group in knowledge.groups if group.id in sides]


def _kinds(knowledge: Knowledge) -> list[Group]:
    sides = _sides(knowledge)
    return [group for group in knowledge.groups if group not in sides and knowledge.members(group)]


def fitted(view: View, blocks: Sequence[Block]) -> View:
    """The view with as many of the blocks as Slack takes."""
    kept = list(blocks[: limits.BLOCKS["home"]])
    while len(kept) > 1 and len(json.dumps(kept)) > ROOM:
        kept.pop()
    return view | {"blocks": kept}
