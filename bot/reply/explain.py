"""Explain: why an answer is what it is, as parts, so that the terminal and Slack tell the same."""

from __future__ import annotations

from bot.model import Facts, Finding, Heading, Item, Items, Knowledge, Part, Reply

MOST_CANDIDATES = 4
"""Runners-up that are shown; the first two decide."""


def explain(finding: Finding, knowledge: Knowledge) -> Reply:
    """The evidence for a finding as a reply: understood, corrected, named, matched, runner-up, margin, gate."""
    evidence, lines = finding.evidence, knowledge.voice.lines
    rows = [
        ("why_understood", evidence.understood),
        ("why_corrected", ", ".join(f"{slip.typed} → {slip.read_as}" for slip in evidence.corrections)),
        ("why_named", ", ".join(evidence.named)),
        ("why_strangers", ", ".join(evidence.strangers)),
        ("why_unknown_words", ", ".join(evidence.unknown_words)),
        ("why_asks_for", evidence.frame),
        ("why_because", evidence.reason),
        ("why_margin", f"{evidence.margin:.3f}" if evidence.candidates else ""),
        ("why_coverage", f"{100 * evidence.coverage:.0f} %" if evidence.candidates else ""),
        ("why_confidence", f"{evidence.confidence:.6f}"),
        ("why_gate", _gate(finding)),
    ]
    parts: list[Part] = [Heading(lines["why"]), Facts(tuple((lines[key], value) for key, value in rows if value))]
    if evidence.candidates:
        nearest = (
            Item(f"{match.id} ({match.score:.3f})", match.phrase) for match in evidence.candidates[:MOST_CANDIDATES]
        )
        parts.append(Items(tuple(nearest), heading=lines["why_candidates"], numbered=True))
    return Reply(kind=finding.kind, ids=finding.ids, parts=tuple(parts), evidence=evidence, reference="")


def _gate(finding: Finding) -> str:
    """The decision and the two thresholds, in words."""
    evidence = finding.evidence
    answered = " ".join([finding.kind, *finding.ids])
    return f"{answered}; answers from {evidence.answer_from:.2f}, offers from {evidence.offer_from:.2f} of evidence"
