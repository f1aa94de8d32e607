"""Hand-made replies, one of each kind and some at the limits, and a desk that gives them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.model import (
    Card,
    Choice,
    Choices,
    Credit,
    Entry,
    Evidence,
    Facts,
    Group,
    Heading,
    Item,
    Items,
    Knowledge,
    Library,
    Link,
    Miss,
    Note,
    Outcome,
    Part,
    Question,
    Remark,
    Reply,
    Step,
    Strangers,
    Table,
    Tally,
    Text,
    Voice,
    Waiting,
)

CREDIT = Credit("From “Two sides” (A. Writer, 2023), paragraph 4", "https://example.org/two-sides?a=1|2&b=<3>")
NOTE = Remark(Note("2026-11-01", "The name of the package has changed.", "its home page", "https://example.org/"))
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
FACTS = Facts((("Good for", "small services"), ("Install", "pip install flask"), ("Docs", "https://example.org/docs")))

KINDS: dict[str, Reply] = {
    "topic": reply("topic", Heading("Two sides"), Text("One.\n- a\n- b\nTwo.\nThree."), NOTE, CREDIT, MORE, ids=("t",)),
    "step": reply("step", Heading("Step 2 of 9"), Text("Learn by doing."), CREDIT, MORE, ids=("s",)),
    "library": reply("library", CARD, Text("It does this.\nAnd that."), FACTS, NOTE, CREDIT, MORE, ids=("flask",)),
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
        Facts(((HOSTILE, HOSTILE),)), Items((Item(HOSTILE, HOSTILE, HOSTILE, HOSTILE),) * 3, HOSTILE),
        Table((HOSTILE, HOSTILE), ((HOSTILE, HOSTILE),)), Choices(HOSTILE, (Choice(HOSTILE, HOSTILE),)),
        Remark(Note(HOSTILE, HOSTILE, HOSTILE, HOSTILE)), Credit(HOSTILE, "https://e.example/<!channel>|x"),
    ),
    "long": reply(
        "list", Heading(LONG), Text(LONG), Text("- " + LONG), Card(LONG, LONG, LONG, choices=(Choice(LONG, LONG),) * 30),
        Facts(((LONG, LONG),) * 3), Items((Item(LONG, LONG, LONG, LONG),) * 5, LONG), Items(items(120), LONG),
        Table((LONG,) * 3, ((LONG,) * 3,) * 4), Choices(LONG, (Choice(LONG, LONG),)), Remark(Note(LONG, LONG, LONG)),
        Credit(LONG, "https://example.org/" + "a" * 4000),
    ),
    "many": reply("list", *(Heading(f"Part {n}") for n in range(80))),
    "wide": reply("compare", Table(("x",) * 25, (("y",) * 25,)), Table(("a", "b"), ((" ", "c"),)), Table(("a", "b"), ())),
    "astral": reply("topic", Heading("🐍" * 100), Text("🐍" * 5000), Choices("🐍", (Choice("🐍" * 60, "🐍" * 3000),))),
}  # fmt: skip


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


def knowledge(cards: int = 3) -> Knowledge:
    """A small pack: two sides, a kind, a way of two steps."""
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
    lines = {"why_understood": "Understood", "why_corrected": "Read as"}
    return Knowledge(
        name="Sample",
        about="samples",
        subject=(),
        source=None,
        entries=entries,
        groups=groups,
        voice=Voice(small_talk={}, lines=lines, examples=("topic, please", "library, please")),
        strangers=Strangers(),
        synonyms={},
        fingerprint="1",
        by_id={entry.id: entry for entry in entries},
    )


class SampleDesk:
    """Gives the reply whose kind is in the question, else the topic; raises on "boom". Remembers what it was asked.

    What it has `learned` it answers, whatever it said before."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.learned: set[str] = set()

    @property
    def knowledge(self) -> Knowledge:
        return knowledge()

    def knowledge_of(self, workspace: str) -> Knowledge:
        return replace(knowledge(), fingerprint=f"{workspace} {sorted(self.learned)}")

    def why(self, question: Question, reference: str = "") -> Reply:
        self.asked.append(question)
        return WHY

    def again(self, reference: str, workspace: str = "") -> Reply | None:
        return next((made for made in KINDS.values() if made.reference == reference), None) if reference else None

    def ask(self, question: Question) -> Reply:
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


@dataclass
class SampleRecords:
    """All that the store remembers, in memory. `away`: nothing can be read or written, and claims are made all the same."""

    taken: dict[str, str] = field(default_factory=dict)
    votes: dict[tuple[str, str], tuple[str, str, str]] = field(default_factory=dict)
    voted_in: list[tuple[str, str]] = field(default_factory=list)
    tallies: list[tuple[str, Outcome, str]] = field(default_factory=list)
    misses: dict[str, Miss] = field(default_factory=dict)
    waiters: dict[tuple[str, str, str], Waiting] = field(default_factory=dict)
    trials: set[tuple[str, str]] = field(default_factory=set)
    away: bool = False

    def claim(self, key: str) -> bool:
        return self.hold(key, key) and self.begin(key, key)

    def hold(self, key: str, owner: str) -> bool:
        if self.taken.get(key) == "begun":
            return False
        self.taken[key] = owner
        return True

    def begin(self, key: str, owner: str) -> bool:
        ours = self.taken.get(key) == owner
        if ours:
            self.taken[key] = "begun"
        return ours

    def release(self, key: str, owner: str = "") -> None:
        if not owner or self.taken.get(key) in (owner, "begun"):
            self.taken.pop(key, None)

    def vote(
        self, answer: str, voter: str, subject: str, vote: str, reason: str, workspace: str = "", channel: str = ""
    ) -> bool:
        if not self.away:
            self.votes[answer, voter] = (subject, vote, reason)
            self.voted_in.append((workspace, channel))
        return not self.away

    def tally(self, workspace: str, outcome: Outcome, channel: str = "", count: int = 1) -> None:
        if not self.away:
            self.tallies += [(workspace, outcome, channel)] * count

    def miss(self, workspace: str, text: str, best: str, score: float) -> str:
        if self.away:
            return ""
        key = f"{workspace} {text}".casefold()
        count = self.misses[key].count + 1 if key in self.misses else 1
        self.misses[key] = Miss(
            workspace=workspace, key=key, text=text, count=count, best=best, score=score, first=0.0, last=0.0
        )
        return key

    def wait(self, workspace: str, key: str, user: str) -> bool:
        if not self.away:
            self.waiters[workspace, key, user] = Waiting(workspace, key, self.misses[key].text, user)
        return not self.away

    def waiting(self) -> tuple[Waiting, ...]:
        return () if self.away else tuple(self.waiters.values())

    def told(self, workspace: str, key: str, user: str) -> bool:
        return not self.away and self.waiters.pop((workspace, key, user), None) is not None

    def week(self, workspace: str) -> tuple[Tally, ...]:
        return tuple(
            Tally("2026-11-22", outcome, channel, 1) for of, outcome, channel in self.tallies if of == workspace
        )

    def set_trial(self, workspace: str, channel: str, on: bool, by: str) -> bool:
        if on and not self.away:
            self.trials.add((workspace, channel))
        elif not self.away:
            self.trials.discard((workspace, channel))
        return not self.away

    def in_trial(self, workspace: str, channel: str) -> bool:
        return not self.away and (workspace, channel) in self.trials

    def forget(self, workspace: str, user: str) -> int:
        named = [name for name in self.waiters if (name[0], name[2]) == (workspace, user)]
        for name in named:
            del self.waiters[name]
        return len(named)

    def probe(self) -> str:
        return "away" if self.away else ""
