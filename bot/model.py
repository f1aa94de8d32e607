"""The types that packages pass to each other, all frozen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.markdown import AnswerFormat, Block, Spans, plain_answer

Kind = Literal["topic", "step", "library", "compare", "list", "recommend", "help", "smalltalk", "unknown"]
EntryKind = Literal["topic", "step", "library"]
Surface = Literal["terminal", "mention", "dm", "command", "shortcut", "home"]
Caution = Literal["strict", "usual", "generous"]
Verdict = Literal["answer", "offer", "refuse"]
ChangeKind = Literal["ask", "not_ask", "entry", "ignore", "review"]


MOST_COMPARED = 6
"""Cards in a comparison; a wider table can't be read."""


ANSWER_ADVICE = 3_000
"""Characters of an answer that Slack's text blocks take; a longer one is sent in parts."""
ANSWER_SHOWN = 20_000
"""Characters of an answer that are shown in all its parts."""


RESTART = "restart"
"""The name of the small talk that starts a conversation again: its state is emptied."""


NEWS = "news"
"""The name of the attribute that asks for all of a card's notes: "what's new in Django?"."""


class AskPyError(Exception):
    """An error that a person can fix: the message is a sentence or more, and says how."""


# --- questions and conversations


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it was typed.

    `conversation`: a key of person and thread, under which the engine may keep entry ids (never words) for follow-ups; None: it
    keeps nothing. `workspace`: the workspace whose curated changes apply. `is_forwarded`: whether the text is that of
    another message, which was forwarded to the bot.
    """

    text: str
    surface: Surface = "terminal"
    conversation: str | None = None
    workspace: str = ""
    is_forwarded: bool = False

    @property
    def is_by_another(self) -> bool:
        """Whether somebody else than the asker may have written the text: then none of it is stored."""
        return self.is_forwarded or self.surface == "shortcut"


@dataclass(frozen=True, slots=True)
class ConversationState:
    """The state of a conversation, which `engine.next_state` computes. It has ids, never words.

    Attributes:
        kind: The kind of the last reply.
        ids: The entries that it showed or offered, in that order.
        group: The group of the last list or recommendation; None after a comparison of other cards.
        before: The entries of the list, recommendation or comparison before the last reply, if "the second one" may still
            mean one of them; empty after a new list.
        others: Other candidates for the last reply, of which the first is what the conversation is about where nothing was shown.
        seen: The single entries shown since the last list, recommendation or comparison, the latest last.
        part: The part of a long answer that was shown last, counted from 1.
        without: The cards that were left out because somebody doesn't want them; none that was shown since.
    """

    kind: Kind
    ids: tuple[str, ...]
    group: str | None = None
    before: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    part: int = 1
    without: tuple[str, ...] = ()


# --- knowledge


@dataclass(frozen=True, slots=True)
class Note:
    """A dated correction or update with its own source, shown apart from the answer. `date` is ISO; `text` is Markdown.

    `short` says it in one line, for the card that would mislead without it: a card's other notes are behind "What's new".
    """

    date: str
    text: str
    source: str
    url: str = ""
    short: str = ""


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
    """Something that the pack has an answer to.

    Attributes:
        answer: The answer, written in `answer_format`.
        plain_answer: Its words without formatting and addresses; computed if it isn't given.
        asks: Phrasings: questions that it answers.
        not_asks: Questions that look like one of them, and that it must not answer.
        paragraphs: Paragraphs of the source that say it.
        names: Names that it mentions without describing them.
        related: Ids of the entries that are suggested below its answer.
        notes: Dated corrections.
        source: Where it comes from, if not from the pack's source.
        owner: Who sees to it that it stays right: a team or a name.
        reviewed: The ISO date of the day on which it was last found right.
        review_by: The ISO date of the last day before it has to be checked again.
        file, line: Where it starts in the pack, for the lint's faults.
    """

    id: str
    title: str
    answer: str
    asks: tuple[str, ...]
    not_asks: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    source: Source | None = None
    owner: str = ""
    reviewed: str = ""
    review_by: str = ""
    file: str = ""
    line: int = 0
    answer_format: AnswerFormat = "markdown"
    plain_answer: str = ""

    def __post_init__(self) -> None:
        if not self.plain_answer:  # else it was kept with the entry: parsing takes longer than loading
            object.__setattr__(self, "plain_answer", plain_answer(self.answer[:ANSWER_SHOWN], self.answer_format))

    @property
    def kind(self) -> EntryKind:
        return "topic"

    @property
    def label(self) -> str:
        """The entry's name in headings, offers and buttons."""
        return self.title

    @property
    def opening_question(self) -> str:
        """The question that a button asks to open the entry."""
        return self.title

    @property
    def curated(self) -> bool:
        """Whether curators wrote it, so that the pack's source isn't its source."""
        return self.file == CURATED

    def is_past(self, today: dt.date) -> bool:
        """Whether it should have been checked again before this day."""
        return bool(self.review_by) and self.review_by < today.isoformat()


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
    """An entry about something with a name, called a card in the documents. `Card` is the part of a reply that shows it.

    Attributes:
        side: The id of its main group, such as backend; lists have one section for each side.
        what: What it is: a noun phrase.
        capabilities: Ids of the other groups that it is a member of, the most central first.
        also: Ids of groups that list it after their members, and recommend it only if they have no members.
        package: Its name on the package index.
        install: How to install it, if that isn't `pip install` and the package's name: a command, or words with commands
            between backticks.
    """

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

    @property
    def opening_question(self) -> str:
        return f"What is {self.name}?"

    @property
    def news_question(self) -> str:
        """The question that a button asks for the card's notes."""
        return f"What's new in {self.name}?"

    @property
    def short_text(self) -> str:
        """The summary; the noun phrase `what` where there is none."""
        return self.summary or self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Cards that belong together (a side, a capability); lists and recommendations are computed from groups.

    Attributes:
        title: The heading of its list.
        label: Its name on a card.
        words: How people name it inside a question.
        list_asks: Phrasings that ask for all of its cards.
        pick_asks: Phrasings that ask for a recommendation, or describe a need.
        not_asks: Questions that look like one of these, and must get neither.
        all: Whether every card is a member.
    """

    id: str
    title: str
    label: str
    words: tuple[str, ...] = ()
    list_asks: tuple[str, ...] = ()
    pick_asks: tuple[str, ...] = ()
    not_asks: tuple[str, ...] = ()
    all: bool = False


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """A piece of small talk: how people say it, and what the bot answers."""

    asks: tuple[str, ...]
    answer: str


VoiceKey = Literal[
    "empty",
    "oops",
    "unknown",
    "unknown_offer",
    "unknown_which",
    "unknown_lost",
    "unknown_partial",
    "unknown_out_of_scope",
    "unknown_instead",
    "unknown_beside",
    "unknown_subject",
    "without",
    "filtered",
    "none_left",
    "none_shown",
    "cant_tell",
    "likely",
    "only_named",
    "beyond",
    "beyond_topic",
    "undecided",
    "reads_english",
    "reads_english_es",
    "reads_english_fr",
    "reads_english_de",
    "reads_english_pt",
    "reads_english_it",
    "about",
    "can",
    "can_explain",
    "can_compare",
    "can_list",
    "can_recommend",
    "can_lead",
    "did_you_mean",
    "did_you_mean_first",
    "sentence",
    "named_in",
    "related",
    "open",
    "ask_of",
    "try",
    "docs",
    "homepage",
    "compare_with",
    "whats_new",
    "from",
    "paragraph",
    "paragraphs",
    "last_checked",
    "due_since",
    "label_side",
    "label_what",
    "label_good_for",
    "label_capabilities",
    "label_install",
    "label_take_it",
    "take_it",
    "in_common",
    "step",
    "of",
    "show_rest",
    "rest_hint",
    "show_part",
    "rest_end",
    "part",
    "previous",
    "next",
    "all_steps",
    "side_by_side",
    "gap",
    "list",
    "also_listed",
    "recommend",
    "recommend_any",
    "compare_them",
    "share",
    "feedback_thanks",
    "why",
    "why_understood",
    "why_corrected",
    "why_named",
    "why_out_of_scope",
    "why_unknown_words",
    "why_asks_for",
    "why_because",
    "why_sentence",
    "why_margin",
    "why_coverage",
    "why_confidence",
    "why_gate",
    "why_answer",
    "why_sure",
    "why_candidates",
    "why_exact",
    "why_close",
    "why_some",
    "why_nearly",
    "why_less",
    "why_high",
    "why_fair",
    "why_low",
]
"""The keys of the bot's own sentences and labels: voice.yaml has a text for each, or no pack loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The bot's own texts.

    Attributes:
        small_talk: By name: greeting, thanks, goodbye, help, ready, sorry, source.
        lines: All other sentences and labels.
        examples: Questions to try.
    """

    small_talk: Mapping[str, SmallTalk]
    lines: Mapping[VoiceKey, str]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfScope:
    """What the pack doesn't cover: names, names that are ordinary words too, and whole questions."""

    names: tuple[str, ...] = ()
    ordinary_names: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """One loaded pack. `fingerprint` changes whenever any of its files does; `caution` is how sure an answer has to be."""

    name: str
    about: str
    subject: tuple[str, ...]
    source: Source | None
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    voice: Voice
    out_of_scope: OutOfScope
    synonyms: Mapping[str, tuple[str, ...]]
    fingerprint: str
    by_id: Mapping[str, Entry] = field(repr=False)
    caution: Caution = "usual"

    def members(self, group: Group) -> tuple[Library, ...]:
        """The group's cards in pack order: first its members, then the other cards that have the group in `also`."""
        sure, listed_too = list[Library](), list[Library]()
        for card in (entry for entry in self.entries if isinstance(entry, Library)):
            if group.all or group.id == card.side or group.id in card.capabilities:
                sure.append(card)
            elif group.id in card.also:
                listed_too.append(card)
        return tuple(sure + listed_too)

    def steps(self, topic: str) -> tuple[Step, ...]:
        """The steps of a topic, in their order."""
        steps = (entry for entry in self.entries if isinstance(entry, Step) and entry.of == topic)
        return tuple(sorted(steps, key=lambda step: step.number))


# --- curation


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One curated edit of a workspace; edits of one `batch` were made, and are undone, together.

    "ask": `text` is a phrasing of `entry`. "not_ask": `text` must not find `entry`, or no entry where that is empty.
    "entry": a new entry with the id `entry`, `title`, `answer` and `asks`. "ignore": `text` is a miss not to be shown
    again. "review": `entry` was found still right on `text`, an ISO date. `by` is the curator (team:user), `at` in seconds
    since 1970. Answers of earlier releases are "plain". `source_date` is the ISO date of the Slack message that a new entry
    was made from, and `source_url` its address, if everybody may read it.
    """

    id: str
    workspace: str
    kind: ChangeKind
    text: str = ""
    entry: str = ""
    title: str = ""
    answer: str = ""
    answer_format: AnswerFormat = "plain"
    asks: tuple[str, ...] = ()
    source_date: str = ""
    source_url: str = ""
    batch: str = ""
    by: str = ""
    at: float = 0.0

    @property
    def phrasings(self) -> tuple[str, ...]:
        """The phrasings that the change is about."""
        if self.kind == "review":
            return ()
        return self.asks if self.kind == "entry" else (self.text,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A question without an answer: its text, how often and when it was asked, and the most similar entry with its score.

    `key` identifies it within its workspace. Who asked isn't stored.
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
    """The number of bad votes on one answer for one reason, and the time of the last. `subject`: the answer's reference."""

    subject: str
    reason: str
    count: int
    last: float


@dataclass(frozen=True, slots=True)
class Subscription:
    """A user who asked, at `at` (seconds since 1970), to be notified when a miss can be answered."""

    workspace: str
    key: str
    text: str
    user: str
    at: float = field(default=0.0, compare=False)


HelpOutcome = Literal["", "entry", "thread", "not_ours"]
"""How a help request ended: not yet; with an entry of the pack; in the thread of its post; curators said that it isn't theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRequest:
    """A question that somebody has put to people, in the help channel.

    Attributes:
        id: made of the workspace, the asker and the words, so that the same person puts the same question once.
        asker: their user id; empty once the request is forgotten.
        text: the question as it was posted.
        answer_ref: what the bot had answered or offered.
        channel, ts: the post; `ts` is empty until Slack has taken it.
        origin_channel, origin_thread: where it was asked in public, which is where the asker is told; empty: by direct message.
        at: when it was posted; this and all times are in seconds since 1970.
        outcome: how it ended.
        answer: with the outcome "entry", the reference of the answer.
        link: with the outcome "thread", the address of the post.
        by: who ended it, a user id; empty if the knowledge did.
        settled_at, told_at: when it ended, and when the asker was told; 0: not yet.
        telling_at: when a process began to tell the asker; 0: none does.
        shown_at: when the post showed how it ended; 0: not yet.
        forgotten_at: when its words and people were deleted; what is left says which post has to be deleted in Slack. 0: not yet.
    """

    workspace: str
    asker: str
    text: str
    id: str = ""
    answer_ref: str = ""
    channel: str = ""
    ts: str = ""
    origin_channel: str = ""
    origin_thread: str = ""
    at: float = 0.0
    outcome: HelpOutcome = ""
    answer: str = ""
    link: str = ""
    by: str = ""
    settled_at: float = 0.0
    told_at: float = 0.0
    telling_at: float = 0.0
    shown_at: float = 0.0
    forgotten_at: float = 0.0


Outcome = Literal["answered", "offered", "missed", "smalltalk"]


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of questions of one day (ISO, UTC) with one outcome; `channel` is empty except for pilot channels."""

    day: str
    outcome: Outcome
    channel: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotChannel:
    """A pilot channel: outcomes of its questions, answered in private, and votes, since `since` (seconds since 1970)."""

    channel: str
    since: float
    answered: int = 0
    offered: int = 0
    missed: int = 0
    good: int = 0
    bad: int = 0


# --- findings


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate: a target's id, its score (higher is better), and its most similar phrasing."""

    id: str
    score: float
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """A typed word, and the word that its spelling was corrected to."""

    typed: str
    read_as: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The reasons for a finding, shown by `why` and "Why this answer?".

    `sentence`: of the first candidate's answer, if it is nearer to the question than the entry's phrasings. `is_far_ahead`: the
    first candidate is far ahead of the second.
    """

    understood: str
    corrections: tuple[Correction, ...] = ()
    named: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    unknown_words: tuple[str, ...] = ()
    question_type: str = ""
    candidates: tuple[Match, ...] = ()
    margin: float = 0.0
    coverage: float = 0.0
    sentence: str = ""
    is_far_ahead: bool = False
    confidence: float = 0.0
    answer_from: float = 0.0
    offer_from: float = 0.0
    verdict: Verdict = "refuse"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The attribute that a question asks for. `phrases`: those that state it in a text; `group`: the group that is asked for."""

    name: str
    phrases: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a question was understood as: the kind of reply, the ids it is about, and the evidence.

    Attributes:
        kind: The kind of reply.
        ids: The entries that it is about; of "unknown", up to three that are offered.
        evidence: Why.
        group: The group of a list or a recommendation.
        talk: The name of the small talk.
        out_of_scope: Names in the question that the pack lists as not covered.
        mentioned_only: Names in the question that the source mentions without describing them.
        about_subject: The pack's subject as a whole is asked about; the one id is the topic about it.
        beyond: Whether the question asks for something that the source doesn't say: it has a rare word that the entry's texts
            lack, or it asks which of the compared cards is best, or what a group's word means.
        attribute: The one attribute of a card that is asked for.
        lacks_context: Whether it refers to an earlier answer, and none was shown that it could mean.
        around_pronoun: The text before and after a pronoun that could mean each of the ids: "how do i install " and "?". A button
            for each entry asks this question with the entry's name in place of the pronoun.
        language: The ISO code of the question's language; empty if it is English or the pack's.
        excluded: What was left out because the question says so, or one before it, as the reply names it.
        left_out: Ids of the cards that the question says aren't wanted.
        filtered: What holds for those that are left of what was shown, as the reply names it.
        is_unsure: Nothing in the pack says which cards need what was to be left out.
        is_likely: It is what the message may well mean after what was shown before, and isn't certain.
        is_none_shown: None of those that were shown before is what is asked for; the ids are others that are.
        part: The part of a long answer that is asked for, counted from 1.
    """

    kind: Kind
    ids: tuple[str, ...]
    evidence: Evidence
    group: str | None = None
    talk: str | None = None
    out_of_scope: tuple[str, ...] = ()
    mentioned_only: tuple[str, ...] = ()
    about_subject: bool = False
    beyond: bool = False
    attribute: Attribute | None = None
    lacks_context: bool = False
    around_pronoun: tuple[str, str] | None = None
    language: str = ""
    excluded: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    filtered: str = ""
    is_unsure: bool = False
    is_likely: bool = False
    is_none_shown: bool = False
    part: int = 1


# --- replies


PART_MARK = "#"
"""Stands in a reply's reference before the number of a part of a long answer, if it isn't the first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: `label` is shown on it; pressing it asks the question `ask`."""

    label: str
    ask: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a web page."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A reply's title."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, divided by line feeds; a line that starts with "- " is a bullet. Renderers escape it."""

    text: str


@dataclass(frozen=True, slots=True)
class Formatted:
    """An answer in Markdown, or a part of it, as nodes. `source` is the whole answer as it is written, in `answer_format`."""

    blocks: tuple[Block, ...]
    source: str = ""
    answer_format: AnswerFormat = "markdown"


@dataclass(frozen=True, slots=True)
class ShowRest:
    """Says that the answer goes on: a button where a front end has them. `label` is shown on it.

    `hint` and the question `ask` tell how to get the next part by asking.
    """

    label: str
    hint: str
    ask: str


@dataclass(frozen=True, slots=True)
class Card:
    """The part of a reply that shows a `Library` in short: `subtitle` is "side · kind".

    `choices` are questions about the card itself; those that are also in the reply's `Choices` may be shown in either place.
    """

    title: str
    subtitle: str
    summary: str
    links: tuple[Link, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a label and a value, one in a row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Something to copy, such as an install command: a single span of code, or text with commands in it."""

    label: str
    spans: Spans


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a list; `ask` is the question that opens it, or empty."""

    title: str
    text: str = ""
    subtitle: str = ""
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list, numbered or not; without a heading where that is empty."""

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
    """Suggested questions: buttons where a front end has them."""

    heading: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class DatedNote:
    """A note of the pack, shown apart from the answer; its source may be empty."""

    note: Note


@dataclass(frozen=True, slots=True)
class Attribution:
    """The source of the answer."""

    text: str
    url: str = ""


Part = Heading | Text | Formatted | ShowRest | Card | Facts | Code | Items | Table | Choices | DatedNote | Attribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer before it is rendered; `evidence` has the reasons.

    `reference` is kind, group and ids in one text, from which the same reply can be composed again; empty if it can't.
    `further` are the further parts of a long answer, each a message of its own.
    """

    kind: Kind
    ids: tuple[str, ...]
    parts: tuple[Part, ...]
    evidence: Evidence
    reference: str = ""
    further: tuple[tuple[Part, ...], ...] = ()

    @property
    def confidence(self) -> float:
        return self.evidence.confidence
