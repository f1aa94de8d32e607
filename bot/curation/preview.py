"""Previews: what an edit would change, before it is saved: faults that it adds, and questions whose answer it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.curation.lint import lint
from bot.curation.overlay import apply_changes, wants_index, with_exact_phrases
from bot.curation.source_locations import label, phrasings, title
from bot.model import Change, Finding, Knowledge
from bot.text import normalize_phrase, stem, words
from bot.understanding import Matcher
from bot.understanding.question_type import STOPWORDS
from bot.understanding.targets import targets_of

MAX_QUESTIONS = 200
"""Questions that are asked before and after an edit: those most like it, since it changes the answers of those or of none, and
a curator waits."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose answer would change; `before` and `after` are titles, empty for no answer."""

    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """The result: the edit's faults, a sentence each, the answers that change, and how many questions were asked."""

    faults: tuple[str, ...]
    moved: tuple[Moved, ...]
    asked: int


def preview(
    matcher: Matcher,
    changes: Sequence[Change],
    others: Sequence[str] = (),
    cache: Path | None = None,
    after: Knowledge | None = None,
    edited: Matcher | None = None,
) -> Preview:
    """What changes would do to a pack. Takes seconds where an index is built for the changed pack.

    Three kinds of questions are asked before and after: the edit's own phrasings that the pack asks elsewhere, which would move;
    `others`; and the pack's phrasings most similar to the edit. The last are asked whole and with one word left out: whole they
    are found word for word, but people seldom type them whole. Of them, only those that had an answer before are reported.

    Args:
        matcher: For the pack without the changes.
        changes: The edit.
        others: Questions to ask as well, for example other misses.
        cache: The cache folder for the index.
        after: The pack with the changes, where the caller has it.
        edited: The matcher for that pack, where the caller has it.
    """
    before = matcher.knowledge
    after = apply_changes(before, changes) if after is None else after
    if after.fingerprint == before.fingerprint:
        return Preview((), (), 0)
    edited = Matcher.from_knowledge(after, cache) if edited is None else edited
    questions = [*dict.fromkeys([*others, *_similar_questions(before, changes)])][:MAX_QUESTIONS]
    own = {normalize_phrase(phrasing): phrasing for change in changes for phrasing in change.phrasings}
    asked_before = {normalize_phrase(text) for text, _ in phrasings(before)}
    taken = [phrasing for phrase, phrasing in own.items() if phrase in asked_before]
    moved = []
    for question in (*taken, *(question for question in questions if normalize_phrase(question) not in own)):
        old, new = _answer_label(matcher.find(question), before), _answer_label(edited.find(question), after)
        if old != new and (old or question in others):
            moved.append(Moved(question, old, new))
    return Preview((*_faults(before, after), *_unmet(edited, changes)), tuple(moved), len(questions))


def preview_changes(
    knowledge: Knowledge,
    changes: Sequence[Change],
    draft: Sequence[Change],
    cache: Path | None = None,
    index_from: int = 1,
) -> Preview:
    """What a draft would do to a pack with these active changes. The index that it builds is the one that saving it needs.

    With fewer than `index_from` changes none is built: the answers of such a workspace don't come from one.
    """
    edited = (*changes, *draft)
    before, after = apply_changes(knowledge, changes), apply_changes(knowledge, edited)
    if wants_index(edited, index_from):
        base = None if wants_index(changes, index_from) else Matcher.from_knowledge(knowledge, cache)
        matcher = with_exact_phrases(base, before, changes) if base else Matcher.from_knowledge(before, cache)
        return preview(matcher, draft, cache=cache, after=after)
    base = Matcher.from_knowledge(knowledge, cache)
    matcher = with_exact_phrases(base, before, changes)
    return preview(matcher, draft, after=after, edited=with_exact_phrases(base, after, edited))


def _faults(before: Knowledge, after: Knowledge) -> tuple[str, ...]:
    """The lint's faults about the pack after the edit that it hadn't before, with titles: a draft has no locations."""
    known = {(fault.entry, fault.text) for fault in lint(before)}
    new_faults = [
        fault
        for fault in lint(after)
        if (fault.entry, fault.text) not in known and not (fault.advice and fault.entry in before.by_id)
    ]
    titles = {label(target): title(target, after) for target in targets_of(after)}
    named = ((titles.get(fault.entry, fault.entry), fault.text) for fault in new_faults)
    return tuple(f"{name}: {text}" if name else text for name, text in named)


def _unmet(edited: Matcher, changes: Sequence[Change]) -> list[str]:
    """A sentence for each phrasing that wouldn't find what the edit says."""
    sentences = []
    for change in changes:
        expected = () if change.kind == "not_ask" else (change.entry,)
        for phrasing in change.phrasings if change.kind != "ignore" else ():
            finding = edited.find(phrasing)
            is_answered = finding.kind != "unknown"
            if change.kind == "not_ask" and is_answered and change.entry not in ("", *finding.ids):
                continue  # it must not find this entry; that it finds another is fine
            if (finding.ids if is_answered else ()) != expected:
                answer = _answer_label(finding, edited.knowledge) or "nothing"
                sentences.append(f"'{phrasing}' would find {answer}")
    return sentences


def _similar_questions(knowledge: Knowledge, changes: Sequence[Change]) -> list[str]:
    """The pack's phrasings that share most content words with the edit, each followed by itself with a word left out."""
    edited = frozenset(word for change in changes for text in change.phrasings for word in _content_stems(text))
    shares = []
    for text, _ in phrasings(knowledge):
        stems = _content_stems(text)
        if shared := len(edited & stems):
            shares.append((shared / len(stems), text))
    most_similar = [text for _, text in sorted(shares, key=lambda item: -item[0])[:MAX_QUESTIONS]]
    return [question for text in most_similar for question in (text, *_shortened(text))]


def _shortened(text: str) -> list[str]:
    """A phrasing with each of its content words left out in turn, if it has more than one."""
    all_words = words(text)
    content = [index for index, word in enumerate(all_words) if word not in STOPWORDS]
    if len(content) < 2:
        return []
    return [" ".join(all_words[:index] + all_words[index + 1 :]) for index in content]


def _content_stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if word not in STOPWORDS)


def _answer_label(finding: Finding, knowledge: Knowledge) -> str:
    """The title of an answer; empty where there is none."""
    if finding.kind == "unknown":
        return ""
    if finding.group is not None:
        return next((group.title for group in knowledge.groups if group.id == finding.group), finding.group)
    return ", ".join(knowledge.by_id[entry_id].label for entry_id in finding.ids) or finding.kind
