"""What a pack lacks of a workspace's curated changes, and what of them can't be written into it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.model import Change, Knowledge
from bot.tools.exchange.newpack import Draft
from bot.tools.places import key, label, spoken


@dataclass(slots=True)
class Plan:
    """What has to be written where, change by change."""

    knowledge: Knowledge
    asks: dict[str, list[str]] = field(default_factory=dict)
    not_asks: dict[str, list[str]] = field(default_factory=dict)
    """New ones by entry; under "" the strangers."""
    entries: dict[str, Draft] = field(default_factory=dict)
    covered: set[str] = field(default_factory=set)
    """Keys that no longer are strangers."""
    exported: int = 0
    there: int = 0
    ignored: int = 0
    other: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    homes: dict[str, str] = field(init=False)
    """Where each phrasing stands, by key."""

    def __post_init__(self) -> None:
        self.homes = {}
        for phrasing, target in spoken(self.knowledge):
            self.homes.setdefault(key(phrasing), target.id if target.kind == "entry" else label(target))

    def take(self, change: Change) -> None:
        match change.kind:
            case "ignore":
                self.ignored += 1
            case "entry":
                self._entry(change)
            case "ask":
                self._ask(change)
            case "not_ask":
                self._not_ask(change)

    def _entry(self, change: Change) -> None:
        known = self.knowledge.by_id.get(change.entry)
        if known is not None:
            self.there += 1
            if (known.title, known.answer) != (_tidy(change.title), _tidy(change.answer)):
                self.other.append(
                    f"'{known.id}' is in the pack with another title or answer ({known.file}:{known.line})."
                )
            return
        draft = Draft(change.entry, _tidy(change.title), _tidy(change.answer), [])
        self.entries[change.entry] = draft
        for text in dict.fromkeys(map(_tidy, change.asks)):
            if self._is_free(text, change.entry):
                draft.asks.append(text)
        if not draft.asks:
            del self.entries[change.entry]
            self.faults.append(f"'{change.entry}' would have no phrasings: left out. Give it one that is its own.")
            return
        self.exported += 1

    def _ask(self, change: Change) -> None:
        text, draft, known = _tidy(change.text), self.entries.get(change.entry), self.knowledge.by_id.get(change.entry)
        if known is None and draft is None:
            self.faults.append(_nowhere(change))
            return
        mine = draft.asks if draft else [*known.asks, *self.asks.get(change.entry, [])] if known else []
        if text in mine or (key(text) and self.homes.get(key(text)) == change.entry):
            self.there += 1
        elif self._is_free(text, change.entry):
            (draft.asks if draft else self.asks.setdefault(change.entry, [])).append(text)
            self.exported += 1

    def _is_free(self, text: str, entry: str) -> bool:
        """Whether the phrasing may go to the entry: nothing else has it. It is then taken, and no stranger any more."""
        name = key(text)
        home = self.homes.get(name, entry) if name else entry
        if home != entry:
            self.faults.append(f"'{text}' was given to {entry}, and the pack has it under {home}: left out. Keep one.")
            return False
        self.homes[name] = entry
        self.covered.add(name)
        return True

    def _not_ask(self, change: Change) -> None:
        text, draft, known = _tidy(change.text), self.entries.get(change.entry), self.knowledge.by_id.get(change.entry)
        if change.entry and known is None and draft is None:
            self.faults.append(_nowhere(change))
            return
        listed = draft.not_asks if draft else known.not_asks if known else self.knowledge.strangers.asks
        mine = {*listed, *self.not_asks.get(change.entry, [])}
        if text in mine or (key(text) and key(text) in set(map(key, mine))):
            self.there += 1
            return
        home = self.homes.get(key(text)) if key(text) else None
        if home is not None and change.entry in ("", home):
            self.faults.append(
                f"'{text}' was refused, and the pack has it as a phrasing of {home}: left out. Keep one."
            )
            return
        (draft.not_asks if draft else self.not_asks.setdefault(change.entry, [])).append(text)
        self.exported += 1


def _tidy(text: str) -> str:
    """As the pack's reader would give it back."""
    return text.replace("\r\n", "\n").encode("utf-8", "replace").decode().strip()


def _nowhere(change: Change) -> str:
    return f"'{change.text}' belongs to the entry '{change.entry}', which the pack doesn't have: left out. Undo it."
