"""Answers with bad votes: how many, why, and a way to look at them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.model import Complaint, Entry, Knowledge
from bot.reply.wording import choice_of
from bot.slack import limits
from bot.slack.blocks import button
from bot.slack.board.drawing import bold, day_of, paragraph, unparsed
from bot.slack.board.sentences import fill, named, spoken
from bot.slack.board.values import Board
from bot.slack.limits import Block, cut
from bot.slack.values import about
from bot.slack.words import Words


def by_subject(complaints: Iterable[Complaint]) -> dict[str, list[Complaint]]:
    """The complaints about each answer, the most complained about first."""
    found: dict[str, list[Complaint]] = {}
    for each in complaints:
        found.setdefault(each.subject, []).append(each)
    return dict(sorted(found.items(), key=lambda item: (-sum(each.count for each in item[1]), item[0])))


def complaints_of(board: Board, words: Words) -> list[list[Block]]:
    """A row for each answer."""
    return [_complained(subject, found, board, words) for subject, found in by_subject(board.complaints).items()]


def _complained(subject: str, found: Sequence[Complaint], board: Board, words: Words) -> list[Block]:
    """An answer with bad votes: how many, why, and a way to look at it."""
    ordered = sorted(found, key=lambda each: (-each.count, each.reason))
    reasons = ", ".join(f"{words.get(f'reason_{each.reason}', words['no_reason'])} {each.count}" for each in ordered)
    told = f"{reasons}. {spoken(words['last_vote'], last=day_of(max(each.last for each in found), board.now))}"
    entry, name = _one(subject, board.knowledge), _named(subject, board.knowledge, words)
    if entry is None:
        return [paragraph([bold(name), *fill("\n" + told)])]
    label = cut(f"{words['open_item']}: {entry.label}", limits.BUTTON_LABEL)
    opening = button(words["open_item"], "ask", {"value": choice_of(entry).ask, "accessibility_label": label})
    return [unparsed(f"{name}\n{told}") | {"accessory": opening}]  # a curator's title is a person's words


def _one(subject: str, knowledge: Knowledge) -> Entry | None:
    """The entry that the answer was about, if it was a single one."""
    kind, ids = about(subject)
    return knowledge.by_id.get(ids) if kind in ("topic", "step", "library") else None


def _named(subject: str, knowledge: Knowledge, words: Words) -> str:
    """What an answer was about, in words."""
    kind, ids = about(subject)
    group = subject.split("|")[1] if subject.count("|") > 1 else ""
    if kind in ("list", "recommend") and group:
        return next((each.title for each in knowledge.groups if each.id == group), group)
    listed = ", ".join(named(each, knowledge) for each in ids.split(",") if each)
    if kind == "unknown":
        return spoken(words["vote_offers"], offers=listed) if listed else words["vote_unknown"]
    return listed or kind
