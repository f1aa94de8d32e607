"""Sentences with people, channels and entries as rich_text elements, and the format of names and times.

Times are UTC: the time zones of curators aren't known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.model import Change, Knowledge
from bot.slack.blocks.limits import Block, cut
from bot.slack.strings import Strings

MAX_PHRASING = 300
"""UTF-16 units that are shown of one phrasing."""
MAX_NAMES = 20
"""People who are named in one sentence."""
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

# --- templates


def fill(template: str, **values: str | Block | tuple[Block, ...]) -> tuple[Block, ...]:
    """`template` with each {name} replaced by its value, as rich_text elements; names without a value stay as they are."""
    elements: list[Block] = []
    for index, piece in enumerate(_PLACEHOLDER.split(template)):
        value = values.get(piece, f"{{{piece}}}") if index % 2 else piece  # the odd pieces are the names
        if isinstance(value, tuple):
            elements.extend(value)
        elif isinstance(value, dict):
            elements.append(value)
        elif value:
            elements.append({"type": "text", "text": value})
    return tuple(elements)


def fill_plain(template: str, **values: str) -> str:
    """The same as plain text."""
    return "".join(element["text"] for element in fill(template, **values))


# --- people, channels, entries, times


def user_element(curator: str, strings: Strings) -> str | Block:
    """Who made an edit (team:user), as an element that shows the name without notifying; a word if nobody is named."""
    user = curator.rpartition(":")[2]
    return {"type": "user", "user_id": user} if user else strings["curate_somebody"]


def user_elements(users: Sequence[str], strings: Strings) -> tuple[Block, ...]:
    """People by their ids, with commas between; of more than MAX_NAMES, the others as a number."""
    names: list[Block] = []
    for user in users[:MAX_NAMES]:
        names += [{"type": "text", "text": ", "}] if names else []
        names.append({"type": "user", "user_id": user})
    rest = len(users) - MAX_NAMES
    return fill(strings["and_more"], first=tuple(names), count=str(rest)) if rest > 0 else tuple(names)


def channel_element(channel: str) -> Block:
    """A channel by its id."""
    return {"type": "channel", "channel_id": channel}


def quote_phrasing(text: str) -> str:
    """A phrasing on one line, in quotation marks."""
    return f"“{cut(' '.join(text.split()), MAX_PHRASING)}”"


def quote_name(name: str) -> str:
    """A name; in quotation marks if it has several words."""
    return quote_phrasing(name) if " " in name else name


def change_label(change: Change, knowledge: Knowledge) -> str:
    """What a change is about, in few words."""
    return entry_label(change.entry, knowledge) if change.kind == "review" else change.title or change.text


def entry_label(entry_id: str, knowledge: Knowledge) -> str:
    """What an entry is called; its id if the pack no longer has it."""
    entry = knowledge.by_id.get(entry_id)
    return entry.label if entry is not None else entry_id


def quoted_entry_label(entry_id: str, knowledge: Knowledge) -> str:
    """What an entry is called within a sentence: in quotation marks if it may be a sentence itself."""
    return quote_name(entry_label(entry_id, knowledge))


def group_title(group_id: str, knowledge: Knowledge) -> str:
    """What a group is called; its id if the pack no longer has it."""
    return next((group.title for group in knowledge.groups if group.id == group_id), group_id)


def format_day(timestamp: float, now: float) -> str:
    """A day such as "3 Nov", with the year if it isn't this one. Both times are in seconds since 1970."""
    day = datetime.fromtimestamp(timestamp, UTC)
    year = "" if day.year == datetime.fromtimestamp(now, UTC).year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def format_minute(timestamp: float, now: float) -> str:
    """The same with hours and minutes."""
    return f"{format_day(timestamp, now)}, {datetime.fromtimestamp(timestamp, UTC):%H:%M} UTC"


# --- edits


def settled_by(change: Change, knowledge: Knowledge, strings: Strings) -> tuple[Block, ...]:
    """Who has already settled a phrasing, and how, as rich_text elements."""
    is_out_of_scope = change.kind == "not_ask" and not change.entry
    return fill(
        strings["taken_out_of_scope" if is_out_of_scope else f"taken_{change.kind}"],
        who=user_element(change.by, strings),
        text=quote_phrasing(change.text),
        title=quote_phrasing(change.title),
        entry=quoted_entry_label(change.entry, knowledge),
    )


def conflict_message(change: Change, knowledge: Knowledge, strings: Strings) -> tuple[Block, ...]:
    """Why an edit isn't saved: `change` has already settled one of its phrasings. As rich_text elements."""
    return (*settled_by(change, knowledge, strings), *fill(f" {strings['taken_what_now']}"))


def describe_edits(batch: Sequence[Change], knowledge: Knowledge, strings: Strings) -> str:
    """What the edits of a batch say: a line for each kind of edit of each entry."""
    edits: dict[tuple[str, str], list[Change]] = {}
    for change in batch:
        edits.setdefault((change.kind, change.entry), []).append(change)
    lines = []
    for (kind, entry_id), changes in edits.items():
        key = "done_out_of_scope" if kind == "not_ask" and not entry_id else f"done_{kind}"
        text = quote_phrasing(changes[0].title if kind == "entry" else changes[0].text)
        if len(changes) > 1:
            text = fill_plain(strings["and_more"], first=text, count=str(len(changes) - 1))
        lines.append(fill_plain(strings[key], texts=text, entry=quoted_entry_label(entry_id, knowledge)))
    return "\n".join(lines)
