"""Questions that are put to people: the form, the post in the help channel, and what the asker is told."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import HelpRequest, Knowledge
from bot.reply.wording import upper_first
from bot.slack.blocks import limits
from bot.slack.blocks.curation.edit_text import (
    channel_element,
    fill,
    fill_plain,
    format_day,
    group_title,
    quote_name,
    quoted_entry_label,
    user_element,
)
from bot.slack.blocks.elements import actions_blocks, button, context_block, plain_text_object
from bot.slack.blocks.limits import Block, cut
from bot.slack.blocks.rich_text import line_block, link_element, quote_block, quote_elements_block
from bot.slack.blocks.views import View, fit_view
from bot.slack.payloads import HelpFormState, parse_answer_ref
from bot.slack.strings import Strings

MAX_QUESTION = 500
"""UTF-16 units of a question that is put to people: as long as a pack's phrasing may be."""
MAX_NAMED = 5
"""Entries that a sentence names: as many as are offered, and a few lines on a phone."""
QUESTION = "question"
"""The block_id and action_id of the form's input."""
CALLBACK = "person"
"""The callback_id of the form."""
BUTTONS = ("help_done", "help_write", "help_means", "help_not_ours")
"""The action_ids of the post's buttons, which are also the keys of their labels; the first is for everybody."""


# --- the form


def help_form(
    state: HelpFormState,
    question: str,
    channel: str,
    asker: str,
    retention_days: int,
    strings: Strings,
    note: tuple[Block, ...] = (),
) -> View:
    """The form that puts a question to people: the question to edit, what is posted, where, as whose, and for how long; above it
    a note as rich_text elements, if there is one."""
    element = {
        "type": "plain_text_input",
        "action_id": QUESTION,
        "multiline": True,
        "max_length": MAX_QUESTION,
        "placeholder": plain_text_object(strings["person_question_hint"], limits.PLACEHOLDER),
    }
    if question:
        element["initial_value"] = cut(question, MAX_QUESTION)
    label = plain_text_object(strings["person_question"], limits.INPUT_LABEL)
    what = fill(strings["person_what"], channel=channel_element(channel), asker=user_element(asker, strings))
    told = strings["person_told_there" if state.channel else "person_told_direct"]
    kept = fill_plain(strings["person_kept"], days=str(retention_days))
    blocks = [
        *([quote_elements_block(note)] if note else []),
        {"type": "input", "block_id": QUESTION, "label": label, "element": element},
        line_block(what),
        line_block(fill(told)),
        context_block(kept),
    ]
    return _modal(state, blocks, strings, submit=strings["person_post"])


def note_view(message: tuple[Block, ...], strings: Strings) -> View:
    """A modal with a sentence, as rich_text elements."""
    return _modal(HelpFormState(), [line_block(message)], strings)


def _modal(state: HelpFormState, blocks: list[Block], strings: Strings, submit: str = "") -> View:
    view = {
        "type": "modal",
        "callback_id": CALLBACK,
        "title": plain_text_object(strings["person"], limits.MODAL_TITLE),
        "close": plain_text_object(strings["cancel" if submit else "close"], limits.MODAL_TITLE),
        "private_metadata": state.to_metadata(),
    }
    view |= {"submit": plain_text_object(submit, limits.MODAL_TITLE)} if submit else {}
    return fit_view(view, blocks)


def asked_before(request: HelpRequest, knowledge: Knowledge, now: float, strings: Strings) -> tuple[Block, ...]:
    """That the same person has put the same question to people, and what became of it; as rich_text elements."""
    key = f"person_was_{request.outcome}" if request.outcome else "person_already"
    if not request.ts:
        key = "person_being_posted"
    sentence = fill(
        strings[key],
        channel=channel_element(request.channel),
        day=format_day(request.at, now),
        answer=_answer_name(request.answer, knowledge, strings),
    )
    return (*sentence, *_link(request, strings))


def answered_by_now(ref: str, knowledge: Knowledge, strings: Strings) -> tuple[Block, ...]:
    """That the bot can answer the question by now; as rich_text elements."""
    return fill(strings["person_answered"], answer=_answer_name(ref, knowledge, strings))


# --- the post


def post_blocks(request: HelpRequest, knowledge: Knowledge, strings: Strings) -> list[Block]:
    """The post in the help channel: whose question it is, the question, and how it ended; until then what the bot would have
    answered, and the buttons."""
    head = [
        line_block(fill(strings["help_asks"], asker=user_element(request.asker, strings))),
        quote_block(request.text),
    ]
    if request.outcome:
        # Curators can still write down what was answered in the thread.
        left = [_post_button("help_write", request, strings)] if request.outcome == "thread" else []
        return [*head, line_block(settled_message(request, knowledge, strings)), *actions_blocks(left)]
    buttons = [_post_button(name, request, strings) for name in BUTTONS]
    offer = line_block(fill(_offer(request, knowledge, strings)))
    return [*head, offer, context_block(strings["help_how"]), *actions_blocks(buttons)]


def _post_button(name: str, request: HelpRequest, strings: Strings) -> Block:
    element = button(strings[name], name, {"value": request.id})
    if name != "help_not_ours":
        return element
    return element | {  # it has no form that one could leave
        "confirm": {
            "title": plain_text_object(strings["help_confirm_title"], limits.CONFIRM_TITLE),
            "text": plain_text_object(strings["help_confirm"], limits.CONFIRM_TEXT),
            "confirm": plain_text_object(strings["help_confirm_yes"], limits.CONFIRM_LABEL),
            "deny": plain_text_object(strings["cancel"], limits.CONFIRM_LABEL),
        }
    }


def post_text(request: HelpRequest, knowledge: Knowledge, strings: Strings) -> str:
    """The post as plain text, without the asker's words."""
    lines = [strings["help_text"], _offer(request, knowledge, strings), strings["help_how"]]
    if request.outcome:
        lines[1:] = [text_without_names(settled_message(request, knowledge, strings), strings)]
    return "\n".join(lines)


def settled_message(request: HelpRequest, knowledge: Knowledge, strings: Strings) -> tuple[Block, ...]:
    """How a request ended, as rich_text elements."""
    key: str = "knowledge" if request.outcome == "entry" and not request.by else request.outcome
    if request.outcome == "entry" and not all(ref in knowledge.by_id for ref in parse_answer_ref(request.answer).ids):
        key = "undone"
    return fill(
        strings[f"help_settled_{key}"],
        who=user_element(request.by, strings),
        answer=_answer_name(request.answer, knowledge, strings),
    )


def already_settled(request: HelpRequest, knowledge: Knowledge, strings: Strings) -> tuple[Block, ...]:
    """The same for somebody who presses a button after that."""
    return (*fill(f"{strings['help_already']} "), *settled_message(request, knowledge, strings))


def text_without_names(elements: Sequence[Block], strings: Strings) -> str:
    """A sentence of rich_text elements as plain text, in which people are somebody."""
    return upper_first("".join(str(each.get("text", strings["help_somebody"])) for each in elements))


def _offer(request: HelpRequest, knowledge: Knowledge, strings: Strings) -> str:
    """What the bot would have answered or offered."""
    name = _answer_name(request.answer_ref, knowledge, strings)
    if not name:
        return strings["help_nothing"]
    is_offer = parse_answer_ref(request.answer_ref).kind == "unknown"
    return fill_plain(strings["help_offers" if is_offer else "help_would"], answer=name)


def _answer_name(ref: str, knowledge: Knowledge, strings: Strings) -> str:
    """What an answer is about, in words, of a long one the beginning; empty for no answer."""
    answer = parse_answer_ref(ref)
    if answer.kind in ("list", "recommend") and answer.group:
        return quote_name(group_title(answer.group, knowledge))
    names = [quoted_entry_label(entry_id, knowledge) for entry_id in answer.ids]
    first, rest = ", ".join(names[:MAX_NAMED]), len(names) - MAX_NAMED
    return fill_plain(strings["and_more"], first=first, count=str(rest)) if rest > 0 else first


# --- what the asker is told


def told_blocks(request: HelpRequest, strings: Strings) -> list[Block]:
    """What the asker is told above the answer, if there is one: in a direct message below the question, elsewhere with a mention
    and without it, because the words may be others than those that were asked there."""
    key = _told_key(request)
    who, channel = user_element(request.by, strings), channel_element(request.channel)
    sentence = (*fill(strings[key], who=who, channel=channel), *_link(request, strings))
    if not request.origin_channel:
        return [quote_block(request.text), line_block(sentence)]
    return [line_block((*fill(strings["told_asker"], asker=user_element(request.asker, strings)), *sentence))]


def told_text(request: HelpRequest, strings: Strings) -> str:
    """The same as plain text, without names."""
    key = _told_key(request)
    values = {"who": strings["help_somebody"], "channel": strings["help_channel"]}
    return " ".join(filter(None, (upper_first(fill_plain(strings[key], **values)), request.link)))


def is_same_answer(ref: str, other: str) -> bool:
    """Whether two references are of one answer; of lists and the like of one group, whatever cards are in it by now."""
    one, two = parse_answer_ref(ref), parse_answer_ref(other)
    return ref == other or (bool(one.group) and (one.kind, one.group) == (two.kind, two.group))


def _told_key(request: HelpRequest) -> str:
    if request.outcome == "entry" and is_same_answer(request.answer, request.answer_ref):
        return "told_same"
    return "told_knowledge" if request.outcome == "entry" and not request.by else f"told_{request.outcome}"


def _link(request: HelpRequest, strings: Strings) -> tuple[Block, ...]:
    return ({"type": "text", "text": " "}, link_element(request.link, strings["told_link"])) if request.link else ()
