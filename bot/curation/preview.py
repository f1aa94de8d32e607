"""Preview: what an edit would do, before it is saved. Lint says what is wrong with it, and its reach what else it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.curation.changes import apply_changes
from bot.curation.lint import lint
from bot.curation.source_locations import key, phrasings
from bot.match import Matcher
from bot.match.frames import SLIGHT
from bot.model import Change, Finding, Knowledge
from bot.text import stem, words

MOST_ASKED = 200
"""Questions that are asked before and after: those nearest to the edit, because it moves its neighbours or nothing, and
somebody waits."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A question whose answer would change; `before` and `after` are titles, empty for no answer."""

    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What is wrong with an edit, a sentence each, and what it would move."""

    faults: tuple[str, ...]
    moved: tuple[Moved, ...]
    asked: int


def preview(
    matcher: Matcher,
    changes: Sequence[Change],
    others: Sequence[str] = (),
    cache: Path | None = None,
    after: Knowledge | None = None,
) -> Preview:
    """What these changes would do to the pack that `matcher` is for. Takes seconds: an index is built for it.

    Asked are `others` (say, what else is missed), and the pack's phrasings nearest to the edit, whole and with a word left
    out: whole they are safe, and people seldom say them whole. Of those, only what had an answer before is told.
    `after`: the pack with the changes, where the caller has it.
    """
    before = matcher.knowledge
    after = apply_changes(before, changes) if after is None else after
    if after.fingerprint == before.fingerprint:
        return Preview((), (), 0)
    edited = Matcher.of(after, cache)
    asked = [*dict.fromkeys([*others, *_neighbours(before, changes)])][:MOST_ASKED]
    own = {key(phrasing) for change in changes for phrasing in change.phrasings}
    moved = []
    for question in asked:
        old, new = _named(matcher.find(question), before), _named(edited.find(question), after)
        if old != new and (old or question in others) and key(question) not in own:
            moved.append(Moved(question, old, new))
    return Preview((*_faults(before, after), *_unfound(edited, changes)), tuple(moved), len(asked))


def preview_changes(
    knowledge: Knowledge, changes: Sequence[Change], draft: Sequence[Change], cache: Path | None = None
) -> Preview:
    """What a draft would do to a pack with these active changes. The index that it builds is the one that saving it needs."""
    before = Matcher.of(apply_changes(knowledge, changes), cache)
    return preview(before, draft, cache=cache, after=apply_changes(knowledge, (*changes, *draft)))


def _faults(before: Knowledge, after: Knowledge) -> tuple[str, ...]:
    """What the lint says now and didn't before, without the places: a draft has none."""
    known = {(fault.entry, fault.text) for fault in lint(before)}
    found = [
        fault
        for fault in lint(after)
        if (fault.entry, fault.text) not in known and not (fault.advice and fault.entry in before.by_id)
    ]
    return tuple(f"{fault.entry}: {fault.text}" if fault.entry else fault.text for fault in found)


def _unfound(edited: Matcher, changes: Sequence[Change]) -> list[str]:
    """Phrasings that wouldn't do what they are meant to."""
    found = []
    for change in changes:
        wanted = () if change.kind == "not_ask" else (change.entry,)
        for phrasing in change.phrasings if change.kind != "ignore" else ():
            finding = edited.find(phrasing)
            answered = finding.kind != "unknown"
            if change.kind == "not_ask" and answered and change.entry not in ("", *finding.ids):
                continue  # it must not find this entry; that it finds another is fine
            if (finding.ids if answered else ()) != wanted:
                name = _named(finding, edited.knowledge) or "nothing"
                found.append(f"'{phrasing}' would find {name}")
    return found


def _neighbours(knowledge: Knowledge, changes: Sequence[Change]) -> list[str]:
    """The pack's phrasings that share most telling words with the edit, each followed by what is left without one of them."""
    told = frozenset(word for change in changes for text in change.phrasings for word in _telling(text))
    near = []
    for text, _ in phrasings(knowledge):
        own = _telling(text)
        if shared := len(told & own):
            near.append((shared / len(own), text))
    ordered = [text for _, text in sorted(near, key=lambda one: -one[0])[:MOST_ASKED]]
    return [asked for text in ordered for asked in (text, *_shortened(text))]


def _shortened(text: str) -> list[str]:
    """A phrasing with each of its telling words left out in turn, as long as something telling stays."""
    said = words(text)
    telling = [at for at, word in enumerate(said) if word not in SLIGHT]
    return [" ".join(said[:at] + said[at + 1 :]) for at in telling] if len(telling) > 1 else []


def _telling(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if word not in SLIGHT)


def _named(finding: Finding, knowledge: Knowledge) -> str:
    """What a curator calls the answer; empty where there is none."""
    if finding.kind == "unknown":
        return ""
    if finding.group is not None:
        return next((group.title for group in knowledge.groups if group.id == finding.group), finding.group)
    return ", ".join(knowledge.by_id[name].label for name in finding.ids) or finding.kind
