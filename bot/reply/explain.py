"""Explain: why an answer is what it is, as parts, so that the terminal and Slack tell the same."""

from __future__ import annotations

from bot.model import Evidence, Facts, Finding, Heading, Item, Items, Knowledge, Match, Part, Reply
from bot.reply.wording import group_of, sentence_of

MOST_CANDIDATES = 4
"""Runners-up that are shown; the first two decide."""
NEARLY = 0.6
"""Score behind the first up to which another is nearly as close."""
HIGH, FAIR = 0.75, 0.5
"""Confidence from which an answer is sure, and fairly sure."""


def explain(finding: Finding, knowledge: Knowledge, *, raw: bool = False) -> Reply:
    """The evidence for a finding as a reply: understood, corrected, named, matched, runner-up; `raw`: ids and figures too."""
    evidence, lines = finding.evidence, knowledge.voice.lines
    rows = [
        ("why_understood", evidence.understood),
        ("why_corrected", ", ".join(f"{slip.typed} → {slip.read_as}" for slip in evidence.corrections)),
        ("why_named", ", ".join(evidence.named)),
        ("why_strangers", ", ".join(evidence.strangers)),
        ("why_unknown_words", ", ".join(evidence.unknown_words)),
        ("why_asks_for", evidence.frame),
        ("why_because", evidence.reason),
        *(_figures(finding) if raw else _words(finding, knowledge)),
    ]
    parts: list[Part] = [Heading(lines["why"]), Facts(tuple((lines[key], value) for key, value in rows if value))]
    if evidence.candidates:
        nearest = tuple(
            Item(f"{match.id} ({match.score:.3f})", match.phrase)
            if raw
            else Item(_title(match.id, knowledge), f"{_closeness(match, evidence, knowledge)} (“{match.phrase}”)")
            for match in evidence.candidates[:MOST_CANDIDATES]
        )
        parts.append(Items(nearest, heading=lines["why_candidates"], numbered=True))
    return Reply(kind=finding.kind, ids=finding.ids, parts=tuple(parts), evidence=evidence, reference="")


def _figures(finding: Finding) -> list[tuple[str, str]]:
    evidence = finding.evidence
    answered = " ".join([finding.kind, *finding.ids])
    gate = f"{answered}; answers from {evidence.answer_from:.2f}, offers from {evidence.offer_from:.2f} of evidence"
    return [
        ("why_margin", f"{evidence.margin:.3f}" if evidence.candidates else ""),
        ("why_coverage", f"{100 * evidence.coverage:.0f} %" if evidence.candidates else ""),
        ("why_confidence", f"{evidence.confidence:.6f}"),
        ("why_gate", gate),
    ]


def _words(finding: Finding, knowledge: Knowledge) -> list[tuple[str, str]]:
    evidence, lines = finding.evidence, knowledge.voice.lines
    group = group_of(finding.group, knowledge)
    answered = group.title if group else sentence_of(knowledge.by_id[name].label for name in finding.ids)
    sure = "why_high" if evidence.confidence >= HIGH else "why_fair" if evidence.confidence >= FAIR else "why_low"
    is_answer = finding.kind not in ("unknown", "help", "smalltalk")
    return [
        ("why_answer", answered if is_answer else ""),
        ("why_sure", lines[sure] if is_answer and evidence.candidates else ""),
    ]


def _title(name: str, knowledge: Knowledge) -> str:
    """What a candidate is called: an entry, a group's title, or small talk's name."""
    about, _, of = name.rpartition(":")
    if not about:
        return knowledge.by_id[of].label
    group = group_of(of, knowledge) if about != "talk" else None
    return group.title if group else of.capitalize()


def _closeness(match: Match, evidence: Evidence, knowledge: Knowledge) -> str:
    first = evidence.candidates[0]
    if match is first:
        key = "why_exact" if evidence.confidence == 1.0 else "why_close" if evidence.confidence >= FAIR else "why_some"
    else:
        key = "why_nearly" if first.score - match.score <= NEARLY else "why_less"
    return knowledge.voice.lines[key]
