"""Import: a FAQ file becomes a pack's folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.curation.source_locations import key
from bot.knowledge.forms import ANSWER_LIMIT, PHRASING_LIMIT, TITLE_LIMIT
from bot.model import AskPyError
from bot.tools.exchange.faq import Asked, Faq, read_faq
from bot.tools.exchange.newpack import Draft, slug, write_pack


@dataclass(frozen=True, slots=True)
class Taken:
    """What was written, and what wasn't: each with the file and line where it stands."""

    folder: Path
    entries: int
    notes: tuple[str, ...]


def take(file: Path, folder: Path | None, name: str) -> Taken:
    """Write the pack; without a folder, into one beside that is called as the file. Raises AskPyError where it can't."""
    faq = read_faq(file)
    drafts = _drafts(faq)
    notes = [f"{file.name}:{line}: {text}" if line else f"{file.name}: {text}" for line, text in sorted(faq.notes)]
    if not drafts:
        raise AskPyError("\n".join([f"Nothing in {file} can be taken over:", *notes]))
    stem = file.stem.replace("_", " ").replace("-", " ").strip()
    called = " ".join((name or faq.name or stem[:1].upper() + stem[1:]).split())[:TITLE_LIMIT]
    target = folder if folder is not None else Path(slug(file.stem, otherwise="faq"))
    write_pack(target, called or "FAQ", drafts)
    return Taken(target, len(drafts), tuple(notes))


def _drafts(faq: Faq) -> list[Draft]:
    """An entry for each question that is asked first and can be answered whole."""
    drafts: dict[str, Draft] = {}
    ids: set[str] = set()
    lines: dict[str, int] = {}
    for asked in faq.asked:
        name = key(asked.question)
        fault = _fault(asked, name)
        if not fault and name in drafts:
            if drafts[name].answer == asked.answer:
                drafts[name].asks += asked.asks
                continue
            fault = f"asks what line {lines[name]} asks, with another answer: left out"
        if fault:
            faq.notes.append((asked.line, f"{fault} ('{asked.question[:60]}')"))
            continue
        title = _title(asked.title or asked.question)
        wanted = asked.id if any(char.isalpha() for char in asked.id) else title
        drafts[name] = Draft(slug(wanted, ids), title, asked.answer, [asked.question, *asked.asks], asked.not_asks)
        ids.add(drafts[name].id)
        lines[name] = asked.line
    _settle(drafts, faq)
    return list(drafts.values())


def _fault(asked: Asked, name: str) -> str:
    """Why a question can't become an entry, or nothing."""
    if not name:
        return "has no words: left out"
    if len(asked.answer) > ANSWER_LIMIT:
        return f"the answer has {len(asked.answer):,} characters, {ANSWER_LIMIT:,} can be sent: left out; shorten it"
    return ""


def _settle(drafts: dict[str, Draft], faq: Faq) -> None:
    """Each phrasing once: a question belongs to its own entry, and what several entries want tells none of them."""
    wanted = Counter(each for draft in drafts.values() for each in {key(text) for text in draft.asks[1:]})
    shared: dict[str, str] = {}
    for name, draft in drafts.items():
        kept = {name: _cut(draft.asks[0])}
        for text in draft.asks[1:]:
            phrase = key(text)
            if phrase and phrase not in drafts and wanted[phrase] == 1 and len(text) <= PHRASING_LIMIT:
                kept.setdefault(phrase, text)
            elif phrase and phrase != name:
                shared.setdefault(phrase, text)
        draft.asks = list(kept.values())
        refused = {key(text): text for text in draft.not_asks if key(text) and len(text) <= PHRASING_LIMIT}
        draft.not_asks = [text for phrase, text in refused.items() if phrase not in kept]
    if shared:
        listed = ", ".join(f"'{text[:60]}'" for text in list(shared.values())[:8])
        more = f" and {len(shared) - 8} more" if len(shared) > 8 else ""
        faq.notes.append((0, f"phrasings of more than one entry, which tell none of them: left out: {listed}{more}"))


def _title(text: str) -> str:
    """A title that fits: a long question ends at a word."""
    return text if len(text) <= TITLE_LIMIT else text[: TITLE_LIMIT - 1].rpartition(" ")[0] + "…"


def _cut(text: str) -> str:
    return text if len(text) <= PHRASING_LIMIT else text[:PHRASING_LIMIT].rpartition(" ")[0]
