"""Compose: what was found becomes a Reply, a short list of Parts. A new kind of reply touches this room alone."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import MOST_COMPARED, Evidence, Finding, Kind, Knowledge, Part, Reply, Text
from bot.reply.entry import of_entry
from bot.reply.nothing import of_help, of_unknown
from bot.reply.several import of_comparison, of_list, of_recommendation
from bot.reply.wording import credit, libraries


def compose(finding: Finding, knowledge: Knowledge) -> Reply:
    """The reply to what was found. `finding.ids` all exist in `knowledge`."""
    return Reply(
        kind=finding.kind,
        ids=finding.ids[:MOST_COMPARED] if finding.kind == "compare" else finding.ids,
        parts=tuple(_parts(finding, knowledge)),
        evidence=finding.evidence,
        reference=_reference(finding),
    )


def again(reference: str, knowledge: Knowledge) -> Reply | None:
    """The reply that a reference names, or None where the pack no longer has what it speaks of."""
    finding = named(reference, knowledge)
    return compose(finding, knowledge) if finding is not None else None


def named(reference: str, knowledge: Knowledge) -> Finding | None:
    """What a reference speaks of, without evidence, or None where the pack no longer has it."""
    kind, _, rest = reference.partition("|")
    about, _, listed = rest.partition("|")
    ids = tuple(listed.split(",")) if listed else ()
    kinds: tuple[Kind, ...] = ("topic", "step", "library", "compare", "list", "recommend")
    known = next((name for name in kinds if name == kind), None)
    if known is None or not ids or any(i not in knowledge.by_id for i in ids):
        return None
    return Finding(kind=known, ids=ids, group=about or None, evidence=Evidence(understood=""))


def _reference(finding: Finding) -> str:
    if finding.kind in ("help", "smalltalk", "unknown"):
        return ""
    return f"{finding.kind}|{finding.group or ''}|{','.join(finding.ids)}"


def _parts(finding: Finding, knowledge: Knowledge) -> Iterable[Part]:
    match finding.kind:
        case "topic" | "step" | "library":
            return of_entry(finding, knowledge)
        case "compare":
            cards = libraries(finding.ids[:MOST_COMPARED], knowledge)
            return of_comparison(cards, knowledge, finding.aspect, undecided=finding.beyond)
        case "list":
            return of_list(finding, knowledge)
        case "recommend":
            return of_recommendation(finding, knowledge)
        case "help":
            return of_help(knowledge)
        case "smalltalk":
            said = Text(knowledge.voice.small_talk[finding.talk or "greeting"].answer)
            return [said, *credit((), knowledge)] if finding.talk == "source" else [said]
        case "unknown":
            return of_unknown(finding, knowledge)
