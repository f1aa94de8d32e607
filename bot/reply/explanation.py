"""Explanations: why an answer is what it is, as a reply, for `why` and "Why this answer?"."""

from __future__ import annotations

from bot.model import Evidence, Facts, Finding, Heading, Item, Items, Knowledge, Match, Part, Reply, VoiceKey
from bot.reply.wording import find_group, join_with_and

MAX_CANDIDATES = 4
"""Candidates that are shown; the first two decide."""
NEARLY = 0.6
"""Distance in score from the best candidate up to which another is nearly as close."""
HIGH, FAIR = 0.75, 0.5
"""Confidence from which an answer is sure, and fairly sure."""

ASKED_FOR = {
    "compare": "a comparison",
    "list": "a list",
    "define": "what it is",
    "pick": "a recommendation",
    "ask": "an answer",
}
"""Question types in words. What only tells something asks for nothing."""


def explain(finding: Finding, knowledge: Knowledge, *, raw: bool = False) -> Reply:
    """The evidence for a finding as a reply.

    Args:
        finding: What was understood, with its evidence.
        knowledge: The pack.
        raw: With ids, scores and thresholds; otherwise in titles and words.

    Returns:
        What was understood, corrected, named and matched, and the other candidates.
    """
    evidence, lines = finding.evidence, knowledge.voice.lines
    rows: list[tuple[VoiceKey, str]] = [
        ("why_understood", evidence.understood),
        ("why_corrected", ", ".join(f"{word.typed} → {word.read_as}" for word in evidence.corrections)),
        ("why_named", ", ".join(evidence.named)),
        ("why_out_of_scope", ", ".join(evidence.out_of_scope)),
        ("why_unknown_words", ", ".join(evidence.unknown_words)),
        ("why_asks_for", evidence.question_type if raw else ASKED_FOR.get(evidence.question_type, "")),
        ("why_because", evidence.reason),
        ("why_sentence", evidence.sentence),
        *(_raw_rows(finding) if raw else _worded_rows(finding, knowledge)),
    ]
    parts: list[Part] = [Heading(lines["why"]), Facts(tuple((lines[key], value) for key, value in rows if value))]
    if evidence.candidates:
        items = tuple(
            Item(f"{match.id} ({match.score:.3f})", match.phrase)
            if raw
            else Item(_title(match.id, knowledge), f"{_closeness(match, evidence, knowledge)} (“{match.phrase}”)")
            for match in evidence.candidates[:MAX_CANDIDATES]
        )
        parts.append(Items(items, heading=lines["why_candidates"], numbered=True))
    return Reply(kind=finding.kind, ids=finding.ids, parts=tuple(parts), evidence=evidence, reference="")


def _raw_rows(finding: Finding) -> list[tuple[VoiceKey, str]]:
    evidence = finding.evidence
    answer = " ".join([finding.kind, *finding.ids])
    gate = f"{answer}; answers from {evidence.answer_from:.2f}, offers from {evidence.offer_from:.2f} of evidence"
    return [
        ("why_margin", f"{evidence.margin:.3f}" if evidence.candidates else ""),
        ("why_coverage", f"{100 * evidence.coverage:.0f} %" if evidence.candidates else ""),
        ("why_confidence", f"{evidence.confidence:.6f}"),
        ("why_gate", gate),
    ]


def _worded_rows(finding: Finding, knowledge: Knowledge) -> list[tuple[VoiceKey, str]]:
    evidence, lines = finding.evidence, knowledge.voice.lines
    if finding.kind in ("unknown", "help", "smalltalk"):
        return []
    group = find_group(finding.group, knowledge)
    answer = group.title if group else join_with_and(knowledge.by_id[entry_id].label for entry_id in finding.ids)
    sure: VoiceKey = (
        "why_high" if evidence.confidence >= HIGH else "why_fair" if evidence.confidence >= FAIR else "why_low"
    )
    return [("why_answer", answer), ("why_sure", lines[sure] if evidence.candidates else "")]


def _title(target: str, knowledge: Knowledge) -> str:
    """The title of a candidate: an entry's id, or `kind:id` of a group or of small talk."""
    kind, _, target_id = target.rpartition(":")
    if not kind:
        return knowledge.by_id[target_id].label
    group = find_group(target_id, knowledge) if kind != "talk" else None
    return group.title if group else target_id.capitalize()


def _closeness(match: Match, evidence: Evidence, knowledge: Knowledge) -> str:
    best = evidence.candidates[0]
    key: VoiceKey
    if match is best:
        key = "why_exact" if evidence.confidence == 1.0 else "why_close" if evidence.confidence >= FAIR else "why_some"
    else:
        key = "why_nearly" if best.score - match.score <= NEARLY else "why_less"
    return knowledge.voice.lines[key]
