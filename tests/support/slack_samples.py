"""Hand-made replies, one of each kind and some at Slack's limits; a fake engine that returns them; and a fake store."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from bot.markdown import Span, parse
from bot.model import (
    Attribution,
    Card,
    Choice,
    Choices,
    Code,
    ConversationState,
    DatedNote,
    Entry,
    Evidence,
    Facts,
    Group,
    Heading,
    HelpRequest,
    Item,
    Items,
    Knowledge,
    Library,
    Link,
    Miss,
    Note,
    Outcome,
    OutOfScope,
    Part,
    Question,
    Reply,
    Step,
    Subscription,
    Table,
    Tally,
    Text,
    Voice,
)

CREDIT = Attribution("From “Two sides” (A. Writer, 2023), paragraph 4", "https://example.org/two-sides?a=1|2&b=<3>")
NOTE = DatedNote(Note("2026-11-01", "The name of the package has changed.", "its home page", "https://example.org/"))
MORE = Choices("Go on with:", (Choice("What is Bottle?", "What is Bottle?"), Choice("Roadmap", "Show the roadmap")))
HOSTILE = (
    "<!channel> <@U0EVIL> *bold* _it_ ~no~ `code` :wave: > quote & <https://evil.example|here> http://evil.example"
)
LONG = "Many words that go on. " * 400


def reply(kind: str, *parts: Part, ids: tuple[str, ...] = ()) -> Reply:
    reference = f"{kind}||{','.join(ids)}" if ids else ""
    return Reply(kind=kind, ids=ids, parts=parts, evidence=Evidence(understood=""), reference=reference)  # type: ignore[arg-type]


def items(number: int, title: str = "Item", text: str = "what it is", ask: str = "What is item") -> tuple[Item, ...]:
    return tuple(Item(f"{title} {n}", text, "side", f"{ask} {n}?") for n in range(1, number + 1))


CARD = Card(
    title="Flask",
    subtitle="Backend · micro framework",
    summary="A small core for web applications; what else they need, you choose.",
    links=(Link("Documentation", "https://example.org/docs"), Link("Homepage", "https://example.org/")),
    choices=(Choice("Compare with Django", "Flask vs Django"),),
)
FACTS = Facts((("Good for", "small services"), ("Docs", "https://example.org/docs")))
INSTALL = Code("Install", (Span("pip install flask", code=True),))

KINDS: dict[str, Reply] = {
    "topic": reply("topic", Heading("Two sides"), Text("One.\n- a\n- b\nTwo.\nThree."), NOTE, CREDIT, MORE, ids=("t",)),
    "step": reply("step", Heading("Step 2 of 9"), Text("Learn by doing."), CREDIT, MORE, ids=("s",)),
    "library": reply(
        "library", CARD, Text("It does this.\nAnd that."), FACTS, INSTALL, NOTE, CREDIT, MORE, ids=("flask",)
    ),
    "compare": reply(
        "compare",
        Heading("Flask and Django"),
        Table(("", "Flask", "Django"), (("Side", "backend", "backend"), ("Good for", "small things", ""))),
        CREDIT,
        ids=("flask", "django"),
    ),
    "list": reply(
        "list",
        Heading("All of them"),
        Items(items(7), "Frontend"),
        Items(items(4, "Other", ask="Other"), "Backend"),
        CREDIT,
        ids=("x", "y"),
    ),
    "recommend": reply("recommend", Heading("A good fit"), Items(items(3)), CREDIT, ids=("a", "b", "c")),
    "help": reply("help", Text("Ask me in your own words."), MORE),
    "smalltalk": reply("smalltalk", Text("Hello.")),
    "unknown": reply("unknown", Text("I don't know that."), Choices("Did you mean:", (Choice("Flask", "Flask?"),))),
}
ABOUT_CARD = (Choice("What's new", "What's new in Flask?"), *CARD.choices)
CARD_WITH_ROW = reply(
    "library",
    replace(CARD, choices=ABOUT_CARD),
    Code("Install", parse("`pip install flask`, or `uv add flask`")[0].spans),
    CREDIT,
    Choices("Go on with:", (*ABOUT_CARD, Choice("Bottle", "What is Bottle?"))),
    ids=("flask",),
)
OFFER = reply(
    "unknown", Text("Not sure."), Choices("Did you mean:", (Choice("Flask", "What is Flask?"),)), ids=("flask",)
)
ROADMAP = reply("topic", Heading("Roadmap"), Items(items(9), numbered=True), CREDIT, ids=("r",))
SHORT_LIST = reply(
    "list", Heading("Two sides"), Items(items(3), "Side"), Items(items(2, "Other", ask="Other"), "Could serve"), CREDIT
)
ONE = reply("recommend", Heading("A good fit"), Items(items(1)), CREDIT, ids=("a",))
NEIGHBOURS = reply(
    "step",
    Heading("Step 2 of 9: Practise"),
    Text("Learn by doing."),
    Choices("Go on with:", (Choice("Previous: Begin", "Begin"), Choice("Next: Build", "Build"), Choice("All", "All?"))),
)
PARTLY = reply(
    "unknown",
    Text("Streamlit: not covered here."),
    Items((Item("Flask", "small", ask="What is Flask?"),)),
    Choices("Read about:", (Choice("Flask", "What is Flask?"), Choice("Flask again", "What is Flask?"))),
)
MANY_CHOICES = reply(
    "help", Text("Ask."), Choices("You could ask:", tuple(Choice(f"Question {n}", f"q {n}") for n in range(9)))
)
WHY = reply(
    "topic",
    Heading("Why this answer?"),
    Facts((("Understood", HOSTILE), ("Read as", HOSTILE), ("Lead over the next", "1.2"))),
    Items((Item("t (1.0)", "one phrasing"),), "Closest", numbered=True),
)

EXTREMES: dict[str, Reply] = {
    "empty": reply("unknown", Text("")),
    "hostile": reply(
        "unknown", Heading(HOSTILE), Text(HOSTILE), Card(HOSTILE, HOSTILE, HOSTILE, (Link(HOSTILE, HOSTILE),)),
        Facts(((HOSTILE, HOSTILE),)), Code(HOSTILE, (Span(HOSTILE),)),
        Items((Item(HOSTILE, HOSTILE, HOSTILE, HOSTILE),) * 3, HOSTILE),
        Table((HOSTILE, HOSTILE), ((HOSTILE, HOSTILE),)), Choices(HOSTILE, (Choice(HOSTILE, HOSTILE),)),
        DatedNote(Note(HOSTILE, HOSTILE, HOSTILE, HOSTILE)), Attribution(HOSTILE, "https://e.example/<!channel>|x"),
    ),
    "long": reply(
        "list", Heading(LONG), Text(LONG), Text("- " + LONG), Card(LONG, LONG, LONG, choices=(Choice(LONG, LONG),) * 30),
        Facts(((LONG, LONG),) * 3), Code(LONG, (Span(LONG, code=True),)), Code(LONG, (Span(LONG, code=True), Span(LONG))),
        Items((Item(LONG, LONG, LONG, LONG),) * 5, LONG), Items(items(120), LONG),
        Table((LONG,) * 3, ((LONG,) * 3,) * 4), Choices(LONG, (Choice(LONG, LONG),)), DatedNote(Note(LONG, LONG, LONG)),
        Attribution(LONG, "https://example.org/" + "a" * 4000),
    ),
    "many": reply("list", *(Heading(f"Part {n}") for n in range(80))),
    "wide": reply("compare", Table(("x",) * 25, (("y",) * 25,)), Table(("a", "b"), ((" ", "c"),)), Table(("a", "b"), ())),
    "astral": reply("topic", Heading("🐍" * 100), Text("🐍" * 5000), Choices("🐍", (Choice("🐍" * 60, "🐍" * 3000),))),
}  # fmt: skip

EXTREME_TEXTS = {
    "hostile": (HOSTILE * 5)[:500],
    "long": LONG[:500],
    "one word": "w" * 500,
    "astral": "🐍" * 250,
}
"""Questions that are put to people: as long as they may be."""


def help_requests(text: str, asker: str = "U1", entry_id: str = "t") -> list[HelpRequest]:
    """A question that is put to people: open, and ended in each way; asked in private, and in public."""
    many = ",".join([entry_id] * 30)
    asked = HelpRequest(id="r" * 64, workspace="T0", asker=asker, text=text, channel="C1", ts="1.0", at=1.0)
    link = f"https://example.slack.com/archives/C1/p{'1' * 900}"
    states = [
        *(replace(asked, answer_ref=ref) for ref in ("", "unknown||", f"unknown||{many}", f"compare||{many}")),
        *(replace(asked, answer_ref=f"{kind}|{entry_id}|{many}") for kind in ("list", "recommend", "rubbish")),
        *(replace(asked, outcome="entry", by=by, answer=f"list||{many}") for by in ("", "U2")),
        *(replace(asked, outcome="thread", by="U2", link=each) for each in ("", link)),
        replace(asked, outcome="not_ours", by="U2"),
    ]
    return [*states, *(replace(state, origin_channel="C2", origin_thread="2.0") for state in states)]


def card(name: str, side: str, *capabilities: str) -> Library:
    return Library(
        id=name.lower(),
        title=name,
        name=name,
        answer=f"{name} does this.",
        asks=(name,),
        side=side,
        what="a library",
        summary=f"{name} in a sentence.",
        capabilities=capabilities,
    )


@cache
def knowledge(cards: int = 3) -> Knowledge:
    """A small pack: two sides, two other groups, a topic with two steps."""
    entries: tuple[Entry, ...] = (
        Entry(id="t", title="Which side is it?", answer="Both.", asks=("side",)),
        Entry(id="way", title="How do I begin?", answer="Step by step.", asks=("way",)),
        Step(id="s1", title="Begin", answer="Begin.", asks=("begin",), of="way", number=1),
        Step(id="s2", title="Go *on*", answer="Go on.", asks=("go on",), of="way", number=2),
        *(card(f"Card{n}", "backend" if n % 2 else "frontend", "web") for n in range(cards)),
    )
    groups = (
        Group(id="backend", title="Backend libraries", label="Backend"),
        Group(id="frontend", title="Frontend libraries", label="Frontend"),
        Group(id="all", title="All libraries", label="All libraries", all=True),
        Group(id="web", title="Web frameworks", label="Web framework"),
        Group(id="none", title="Nothing", label="Nothing"),
    )
    lines = {
        **{
            "why_understood": "Understood",
            "why_corrected": "Read as",
            "about": "I answer questions about",
            "can": "I can",
        },
        **{"can_explain": "explain one", "can_compare": "compare two", "can_list": "list a kind"},
        **{"can_recommend": "suggest one", "can_lead": "lead you through steps"},
    }
    return Knowledge(
        name="Sample",
        about="samples",
        subject=(),
        source=None,
        entries=entries,
        groups=groups,
        voice=Voice(small_talk={}, lines=lines, examples=("topic, please", "library, please")),
        out_of_scope=OutOfScope(),
        synonyms={},
        fingerprint="1",
        by_id={entry.id: entry for entry in entries},
    )


class SampleEngine:
    """Returns the reply whose kind is in the question, else the topic; raises on "boom". Remembers what it was asked.

    What it has `learned` it answers, whatever it said before."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.states: list[ConversationState | None] = []
        self.learned: set[str] = set()

    @property
    def knowledge(self) -> Knowledge:
        return knowledge()

    def knowledge_of(self, workspace: str) -> Knowledge:
        return replace(knowledge(), fingerprint=f"{workspace} {sorted(self.learned)}")

    def explain(self, question: Question, reference: str = "", understood: str = "") -> Reply:
        self.asked.append(question)
        return WHY

    def rebuild_reply(self, reference: str, workspace: str = "") -> Reply | None:
        return next((made for made in KINDS.values() if made.reference == reference), None) if reference else None

    def answer_turn(
        self, question: Question, state: ConversationState | None
    ) -> tuple[Reply, ConversationState | None]:
        self.states.append(state)
        reply = self._answer(question)
        return reply, ConversationState(reply.kind, reply.ids) if reply.ids else None

    def _answer(self, question: Question) -> Reply:
        self.asked.append(question)
        if "boom" in question.text:
            raise RuntimeError("boom")
        if not question.text:
            return KINDS["help"]
        if question.text in self.learned:
            return KINDS["library"]
        if "offer" in question.text:
            return OFFER
        return next((KINDS[kind] for kind in KINDS if kind in question.text), KINDS["topic"])


# --- a store in memory, with the real one's interface; `away` in all of them: nothing can be read or written


@dataclass
class SampleDatabase:
    """Whether the database is away; claims are made all the same."""

    away: bool = False
    threads: int = 1
    loss: str = ""


@dataclass
class SampleClaims:
    """Who answers what. `done` lists what was done, in order."""

    taken: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def claim_once(self, key: str) -> bool:
        return self._claim(key, key) and self._start(key, key)

    def claim(self, key: str, owner: str) -> bool:
        self.done.append("claim")
        return self._claim(key, owner)

    def start(self, key: str, owner: str) -> bool:
        self.done.append("start")
        return self._start(key, owner)

    def release(self, key: str, owner: str = "") -> None:
        self.done.append("release")
        if not owner or self.taken.get(key) in (owner, "started"):
            self.taken.pop(key, None)

    def _claim(self, key: str, owner: str) -> bool:
        if self.taken.get(key) == "started":
            return False
        self.taken[key] = owner
        return True

    def _start(self, key: str, owner: str) -> bool:
        ours = self.taken.get(key) == owner
        if ours:
            self.taken[key] = "started"
        return ours


@dataclass
class SampleConversations:
    """The states of conversations."""

    database: SampleDatabase
    states: dict[str, ConversationState] = field(default_factory=dict)

    def load(self, conversation: str) -> ConversationState | None:
        return self.states.get(conversation)

    def save(self, conversation: str, state: ConversationState) -> None:
        self.states[conversation] = state


@dataclass
class SampleVotes:
    """Votes by answer and voter, and where each was given."""

    database: SampleDatabase
    by_voter: dict[tuple[str, str], tuple[str, str, str]] = field(default_factory=dict)
    places: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self,
        answer: str,
        voter: str,
        answer_ref: str,
        vote: str,
        reason: str,
        workspace: str = "",
        channel: str = "",
        former_voters: Sequence[str] = (),
    ) -> bool:
        if not self.database.away:
            self.by_voter[answer, voter] = (answer_ref, vote, reason)
            self.places.append((workspace, channel))
        return not self.database.away


@dataclass
class SampleTallies:
    """Outcomes, one by one."""

    database: SampleDatabase
    added: list[tuple[str, Outcome, str]] = field(default_factory=list)

    def add(self, workspace: str, outcome: Outcome, channel: str = "", count: int = 1) -> None:
        if not self.database.away:
            self.added += [(workspace, outcome, channel)] * count

    def week(self, workspace: str) -> tuple[Tally, ...]:
        return tuple(Tally("2026-11-22", outcome, channel, 1) for of, outcome, channel in self.added if of == workspace)


@dataclass
class SampleMisses:
    """Misses by their keys."""

    database: SampleDatabase
    by_key: dict[str, Miss] = field(default_factory=dict)

    def add(self, workspace: str, text: str, best: str, score: float) -> str:
        if self.database.away:
            return ""
        key = self._key(workspace, text)
        count = self.by_key[key].count + 1 if key in self.by_key else 1
        self.by_key[key] = Miss(
            workspace=workspace, key=key, text=text, count=count, best=best, score=score, first=0.0, last=0.0
        )
        return key

    def get(self, workspace: str, key: str) -> Miss | None:
        miss = None if self.database.away else self.by_key.get(key)
        return miss if miss is not None and miss.workspace == workspace else None

    def find(self, workspace: str, text: str) -> str:
        key = self._key(workspace, text)
        return key if key in self.by_key and not self.database.away else ""

    def clear_best(self, workspace: str, key: str) -> bool:
        if not self.database.away:
            self.by_key[key] = replace(self.by_key[key], best="")
        return not self.database.away

    @staticmethod
    def _key(workspace: str, text: str) -> str:
        return f"{workspace} {text}".casefold()


@dataclass
class SampleSubscriptions:
    """Who waits for what."""

    database: SampleDatabase
    misses: SampleMisses
    by_name: dict[tuple[str, str, str], Subscription] = field(default_factory=dict)
    number: int = 0

    def add(self, workspace: str, key: str, user: str) -> bool:
        if not self.database.away:
            text, self.number = self.misses.by_key[key].text, self.number + 1
            self.by_name.setdefault((workspace, key, user), Subscription(workspace, key, text, user, self.number))
        return not self.database.away

    def all(self) -> tuple[Subscription, ...]:
        return () if self.database.away else tuple(self.by_name.values())

    def remove(self, workspace: str, key: str, user: str) -> bool:
        return not self.database.away and self.by_name.pop((workspace, key, user), None) is not None


@dataclass
class SamplePilots:
    """Pilot channels."""

    database: SampleDatabase
    channels: set[tuple[str, str]] = field(default_factory=set)

    def set(self, workspace: str, channel: str, on: bool, by: str) -> bool:
        if on and not self.database.away:
            self.channels.add((workspace, channel))
        elif not self.database.away:
            self.channels.discard((workspace, channel))
        return not self.database.away

    def contains(self, workspace: str, channel: str, max_age: float = 0.0) -> bool:
        return not self.database.away and (workspace, channel) in self.channels


class SampleTurns:
    """Turns of a process that is alone."""

    is_shared = is_writing_leaves = False

    def run(self, stop: threading.Event) -> None:
        """Nobody else is looked for."""


class SampleHelpRequests:
    """None: what is put to people is tested over a real database."""

    def unfinished_page(self, *_: object) -> tuple[HelpRequest, ...]:
        return ()

    forgotten_page = open_page = ended_with = unfinished_page


class SampleStore:
    """All that the store remembers, in memory."""

    def __init__(self) -> None:
        self.database = SampleDatabase()
        self.claims = SampleClaims()
        self.conversations = SampleConversations(self.database)
        self.turns = SampleTurns()
        self.votes = SampleVotes(self.database)
        self.tallies = SampleTallies(self.database)
        self.misses = SampleMisses(self.database)
        self.subscriptions = SampleSubscriptions(self.database, self.misses)
        self.pilots = SamplePilots(self.database)
        self.help_requests = SampleHelpRequests()

    @property
    def away(self) -> bool:
        return self.database.away

    @away.setter
    def away(self, value: bool) -> None:
        self.database.away = value

    def forget(self, workspace: str, user: str) -> int:
        names = [name for name in self.subscriptions.by_name if (name[0], name[2]) == (workspace, user)]
        for name in names:
            del self.subscriptions.by_name[name]
        return len(names)

    def probe(self) -> str:
        return "away" if self.away else ""
