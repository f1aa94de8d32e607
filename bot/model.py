"""The nouns: everything that travels between the rooms, frozen, and the protocols that the rims fill in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal["topic", "step", "library", "compare", "list", "recommend", "help", "smalltalk", "unknown"]
EntryKind = Literal["topic", "step", "library"]
Surface = Literal["terminal", "mention", "dm", "command", "shortcut", "home"]
Verdict = Literal["answer", "offer", "refuse"]
ChangeKind = Literal["ask", "not_ask", "entry", "ignore"]


MOST_COMPARED = 6
"""Cards side by side; a wider table can't be read."""


RESTART = "restart"
"""Small talk that begins a conversation anew: nothing of it is remembered."""


class AskPyError(Exception):
    """A fault that a person can mend: the message says what is wrong and the remedy, in plain sentences."""


# --- what is asked


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked, as it arrived.

    `conversation` is an opaque key of person and thread under which the engine may remember entry ids (never
    words) for follow-ups; without one nothing is remembered. `workspace` is whose curated changes apply.
    """

    text: str
    surface: Surface = "terminal"
    conversation: str | None = None
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class ConversationState:
    """Where a conversation stands: the last reply's kind and ids in the order shown, and the group, if it was a list.

    `before`: the several that were shown last, if the last reply is about one; `group` is theirs then. `others`: what it
    might have been instead; `seen`: the single entries since those several, the latest last.
    """

    kind: Kind
    ids: tuple[str, ...]
    group: str | None = None
    before: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


class ConversationMemory(Protocol):
    """Keeps the state of each conversation, by the conversation's key."""

    def load(self, conversation: str) -> ConversationState | None: ...

    def save(self, conversation: str, state: ConversationState) -> None: ...


# --- what is known


@dataclass(frozen=True, slots=True)
class Note:
    """A correction or today's state, dated (ISO) and sourced; every drawing keeps it apart from the source's words."""

    date: str
    text: str
    source: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a pack's facts come from."""

    title: str
    author: str = ""
    publisher: str = ""
    date: str = ""
    url: str = ""


CURATED = "curated.yaml"
"""The file of entries that curators wrote in Slack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing the pack can answer. `line` is where it starts in `file`, for the lint's sake."""

    id: str
    title: str
    answer: str
    asks: tuple[str, ...]
    not_asks: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    file: str = ""
    line: int = 0

    @property
    def kind(self) -> EntryKind:
        return "topic"

    @property
    def label(self) -> str:
        """What a heading, an offer or a button calls it."""
        return self.title

    @property
    def curated(self) -> bool:
        """Whether the pack's curators wrote it, and not its source."""
        return self.file == CURATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Entry):
    """A numbered step of the topic `of`; `number` counts from 1."""

    of: str
    number: int

    @property
    def kind(self) -> EntryKind:
        return "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library(Entry):
    """A card: something with a name. `answer` is what it does; `capabilities` are group ids, the most central first."""

    name: str
    aliases: tuple[str, ...] = ()
    side: str = ""
    what: str = ""
    summary: str = ""
    good_for: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    package: str = ""
    install: str = ""
    homepage: str = ""
    docs: str = ""

    @property
    def kind(self) -> EntryKind:
        return "library"

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cards that belong together (a side, a capability): what lists and recommendations are computed from."""

    id: str
    title: str
    label: str
    words: tuple[str, ...] = ()
    list_asks: tuple[str, ...] = ()
    pick_asks: tuple[str, ...] = ()
    not_asks: tuple[str, ...] = ()
    all: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of small talk: how people say it, and what the bot answers."""

    asks: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The bot's own sentences: `small_talk` by name (greeting, thanks, goodbye, help, sorry, source), `lines` by key."""

    small_talk: Mapping[str, Said]
    lines: Mapping[str, str]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """What the pack does not cover: names, those of them that are ordinary words too, and whole questions."""

    names: tuple[str, ...] = ()
    ordinary_names: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """One loaded pack. `fingerprint` changes whenever any of its files does."""

    name: str
    about: str
    subject: tuple[str, ...]
    source: Source | None
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    voice: Voice
    strangers: Strangers
    synonyms: Mapping[str, tuple[str, ...]]
    fingerprint: str
    by_id: Mapping[str, Entry] = field(repr=False)

    def members(self, group: Group) -> tuple[Library, ...]:
        """The group's cards in pack order: those it is true of first, then those that may be listed too."""
        cards = [entry for entry in self.entries if isinstance(entry, Library)]
        sure = [card for card in cards if group.all or group.id == card.side or group.id in card.capabilities]
        return tuple(sure + [card for card in cards if card not in sure and group.id in card.also])

    def steps(self, topic: str) -> tuple[Step, ...]:
        """The steps of a topic, in their order."""
        found = [entry for entry in self.entries if isinstance(entry, Step) and entry.of == topic]
        return tuple(sorted(found, key=lambda step: step.number))


# --- what curators change, and what they go by


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One curated edit of a workspace; edits of one `batch` were made, and are undone, together.

    "ask": `text` is a phrasing of `entry`. "not_ask": `text` must not find `entry`, or no entry where that is empty.
    "entry": a new entry with the id `entry`, `title`, `answer` and `asks`. "ignore": `text` is a miss not to be shown
    again. `by` is the curator (team:user), `at` in seconds since 1970.
    """

    id: str
    workspace: str
    kind: ChangeKind
    text: str = ""
    entry: str = ""
    title: str = ""
    answer: str = ""
    asks: tuple[str, ...] = ()
    batch: str = ""
    by: str = ""
    at: float = 0.0

    @property
    def phrasings(self) -> tuple[str, ...]:
        """The phrasings that the change settles."""
        return self.asks if self.kind == "entry" else (self.text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A question that went unanswered: its words, how often and when it was asked, and what it came nearest to.

    `key` names it within its workspace. Nothing tells who asked.
    """

    workspace: str
    key: str
    text: str
    count: int
    best: str
    score: float
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Complaint:
    """Bad votes on one answer for one reason, summed. `subject` is the answer by ids, `last` when it was last given."""

    subject: str
    reason: str
    count: int
    last: float


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody who asked, at `at` (seconds since 1970), to be told when a miss can be answered."""

    workspace: str
    key: str
    text: str
    user: str
    at: float = field(default=0.0, compare=False)


Outcome = Literal["answered", "offered", "missed", "smalltalk"]


@dataclass(frozen=True, slots=True)
class Tally:
    """Questions of one day (ISO, UTC) that ended alike; `channel` is empty but for channels on trial."""

    day: str
    outcome: Outcome
    channel: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotChannel:
    """A channel on trial: what its askers got in private since then, and how they voted."""

    channel: str
    since: float
    answered: int = 0
    offered: int = 0
    missed: int = 0
    good: int = 0
    bad: int = 0


# --- what is understood


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that the question may mean: the engine's score (higher is better) and the phrasing it is nearest to."""

    id: str
    score: float
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that was read as another."""

    typed: str
    read_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why an answer is what it is: all that `why` and "Why this answer?" tell."""

    understood: str
    corrections: tuple[Correction, ...] = ()
    named: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    unknown_words: tuple[str, ...] = ()
    frame: str = ""
    candidates: tuple[Match, ...] = ()
    margin: float = 0.0
    coverage: float = 0.0
    confidence: float = 0.0
    answer_from: float = 0.0
    offer_from: float = 0.0
    verdict: Verdict = "refuse"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One fact of an entry that is asked for. `told`: words by which an entry speaks of it; `group`: one it may be in."""

    name: str
    told: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the question comes down to: the kind of reply, the ids it is about, and the evidence.

    `group` is the list's or recommendation's group; `talk` the small talk's name; `strangers` what was named and isn't
    covered; `only_named` what the source names without describing it; `beyond`: the source doesn't say it; `aspect`: the
    one fact that is wanted; `lost`: it leans on something that isn't there; `which`: what is said before and after a
    word that could mean each of the ids.
    """

    kind: Kind
    ids: tuple[str, ...]
    evidence: Evidence
    group: str | None = None
    talk: str | None = None
    strangers: tuple[str, ...] = ()
    only_named: tuple[str, ...] = ()
    beyond: bool = False
    aspect: Aspect | None = None
    lost: bool = False
    which: tuple[str, str] | None = None


# --- what is replied


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: `label` is shown, pressing it asks `ask`."""

    label: str
    ask: str


@dataclass(frozen=True, slots=True)
class Link:
    """A place on the web."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A reply's title."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, divided by line breaks; a line that starts with "- " is a bullet. Plain: drawers escape it."""

    text: str


@dataclass(frozen=True, slots=True)
class Card:
    """A library at a glance: `subtitle` is "side · kind", `summary` at most 200 characters."""

    title: str
    subtitle: str
    summary: str
    links: tuple[Link, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value, in rows."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list; `ask` is the question that opens it, or empty."""

    title: str
    text: str = ""
    subtitle: str = ""
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list, numbered or not, under a heading of its own or none."""

    items: tuple[Item, ...]
    heading: str = ""
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A comparison: the first column of each row is its label; every row is as long as `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """Questions to go on with, as buttons where there are buttons."""

    heading: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A pack's dated note, kept visibly apart from the source's words."""

    note: Note


@dataclass(frozen=True, slots=True)
class Credit:
    """Where the answer comes from."""

    text: str
    url: str = ""


Part = Heading | Text | Card | Facts | Items | Table | Choices | Remark | Credit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is said, before it is drawn. `ids` and `kind` as in the contract; `evidence` tells why.

    `reference` names the reply by ids alone, so that the very same one can be made again; empty if it can't.
    """

    kind: Kind
    ids: tuple[str, ...]
    parts: tuple[Part, ...]
    evidence: Evidence
    reference: str = ""

    @property
    def confidence(self) -> float:
        return self.evidence.confidence
