"""Composing: a finding becomes a Reply, a short list of Parts.

A new kind of reply is also listed in `Kind` (model.py) and, if people can share it or vote on it, in SHAREABLE or VOTABLE
(slack/outgoing.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import cast

from bot.model import (
    MOST_COMPARED,
    PART_MARK,
    Attribution,
    Choices,
    Evidence,
    Finding,
    Kind,
    Knowledge,
    Part,
    Reply,
    Text,
    VoiceKey,
)
from bot.reply.collections import comparison_parts, list_parts, recommendation_parts
from bot.reply.entry import entry_parts
from bot.reply.parts import divide
from bot.reply.unknown import greeting_parts, help_parts, unknown_parts
from bot.reply.wording import join_with_and, libraries, source_parts


def compose(finding: Finding, knowledge: Knowledge, today: dt.date = dt.date.min) -> Reply:
    """The reply to a finding.

    Args:
        finding: What was understood; all of its ids exist in `knowledge`.
        knowledge: The pack.
        today: The day on which it is read, which tells what is past its date; by default nothing is.
    """
    reply = Reply(
        kind=finding.kind,
        ids=finding.ids[:MOST_COMPARED] if finding.kind == "compare" else finding.ids,
        parts=_with_language(tuple(_parts(finding, knowledge, today)), finding.language, knowledge),
        evidence=finding.evidence,
        reference=_reference(finding),
    )
    return divide(reply, finding, knowledge)


def greet(knowledge: Knowledge) -> Reply:
    """The reply to a greeting."""
    evidence = Evidence(understood="")
    return compose(Finding(kind="smalltalk", ids=(), talk="greeting", evidence=evidence), knowledge)


def rebuild(reference: str, knowledge: Knowledge, today: dt.date = dt.date.min) -> Reply | None:
    """The reply with this reference, composed anew; None where the pack no longer has all of its entries."""
    finding = parse_reference(reference, knowledge)
    return compose(finding, knowledge, today) if finding is not None else None


def parse_reference(reference: str, knowledge: Knowledge) -> Finding | None:
    """The finding behind a reply's reference, `kind|group|id,id`, without evidence; `#2` at its end is the part of a long answer.

    None where the reference is invalid, or the pack no longer has all of its entries.
    """
    reference, _, part = reference.partition(PART_MARK)
    kind, _, rest = reference.partition("|")
    group, _, joined_ids = rest.partition("|")
    ids = tuple(joined_ids.split(",")) if joined_ids else ()
    kinds: tuple[Kind, ...] = ("topic", "step", "library", "compare", "list", "recommend")
    known = next((name for name in kinds if name == kind), None)
    if known is None or not ids or any(entry_id not in knowledge.by_id for entry_id in ids):
        return None
    number = max(int(part), 1) if part.isdecimal() else 1
    return Finding(kind=known, ids=ids, group=group or None, evidence=Evidence(understood=""), part=number)


def _reference(finding: Finding) -> str:
    if finding.kind in ("help", "smalltalk", "unknown"):
        return ""
    return f"{finding.kind}|{finding.group or ''}|{','.join(finding.ids)}"


def _with_language(parts: tuple[Part, ...], language: str, knowledge: Knowledge) -> tuple[Part, ...]:
    """The parts with a line, before buttons and source, that English is read best; in the asker's language where there is one."""
    if not language:
        return parts
    lines, end = knowledge.voice.lines, len(parts)
    while end > 1 and isinstance(parts[end - 1], Choices | Attribution):
        end -= 1
    key = cast("VoiceKey", f"reads_english_{language}")  # not every language has one
    return (*parts[:end], Text(lines.get(key, lines["reads_english"])), *parts[end:])


def _parts(finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    """The parts of the reply; of an answer to a question with names that aren't covered, a word on them comes first."""
    if finding.out_of_scope and finding.kind != "unknown":
        yield Text(f"{join_with_and(finding.out_of_scope)}: {knowledge.voice.lines['unknown_beside']}")
    if finding.excluded and finding.kind != "unknown":
        yield Text(_without(finding, knowledge))
    if finding.filtered and len(finding.ids) > 1:
        yield Text(f"{knowledge.voice.lines['filtered']} {finding.filtered}:")
    if finding.beyond and finding.kind in ("topic", "step"):
        yield Text(knowledge.voice.lines["beyond_topic"])
    elif finding.is_likely and finding.attribute is None and finding.kind in ("topic", "step", "library"):
        yield Text(f"{knowledge.voice.lines['likely']}:")
    yield from _own_parts(finding, knowledge, today)


def _without(finding: Finding, knowledge: Knowledge) -> str:
    """What was left out, or that it can't be told what needs it."""
    lines, names = knowledge.voice.lines, join_with_and(finding.excluded)
    return f"{names}: {lines['cant_tell']}" if finding.is_unsure else f"{lines['without']} {names}:"


def _own_parts(finding: Finding, knowledge: Knowledge, today: dt.date) -> Iterable[Part]:
    match finding.kind:
        case "topic" | "step" | "library":
            return entry_parts(finding, knowledge, today)
        case "compare":
            cards = libraries(finding.ids[:MOST_COMPARED], knowledge)
            return comparison_parts(cards, knowledge, today, finding.attribute, undecided=finding.beyond)
        case "list":
            return list_parts(finding, knowledge, today)
        case "recommend":
            return recommendation_parts(finding, knowledge, today)
        case "help":
            return help_parts(knowledge)
        case "smalltalk" if finding.talk == "greeting":
            return greeting_parts(knowledge)
        case "smalltalk":
            text = Text(knowledge.voice.small_talk[finding.talk or "greeting"].answer)
            return [text, *source_parts((), knowledge, today)] if finding.talk == "source" else [text]
        case "unknown":
            return unknown_parts(finding, knowledge, today)
