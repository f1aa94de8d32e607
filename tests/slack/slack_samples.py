"""Hand-made replies, one of each kind and some at the limits, and a desk that gives them."""

from __future__ import annotations

from bot.model import (
    Card,
    Choice,
    Choices,
    Credit,
    Evidence,
    Facts,
    Heading,
    Item,
    Items,
    Link,
    Note,
    Part,
    Question,
    Remark,
    Reply,
    Table,
    Text,
)

CREDIT = Credit("From “Two sides” (A. Writer, 2023), paragraph 4", "https://example.org/two-sides?a=1|2&b=<3>")
NOTE = Remark(Note("2026-11-01", "The name of the package has changed.", "its home page", "https://example.org/"))
MORE = Choices("Go on with:", (Choice("What is Bottle?", "What is Bottle?"), Choice("Roadmap", "Show the roadmap")))
HOSTILE = (
    "<!channel> <@U0EVIL> *bold* _it_ ~no~ `code` :wave: > quote & <https://evil.example|here> http://evil.example"
)
LONG = "Many words that go on. " * 400


def reply(kind: str, *parts: Part, ids: tuple[str, ...] = ()) -> Reply:
    return Reply(kind=kind, ids=ids, parts=parts, evidence=Evidence(understood=""))  # type: ignore[arg-type]


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
    "list": reply("list", Items(items(7), "Frontend"), Items(items(4, "Other", ask="Other"), "Backend"), CREDIT),
    "recommend": reply("recommend", Heading("A good fit"), Items(items(3)), CREDIT, ids=("a", "b", "c")),
    "help": reply("help", Text("Ask me in your own words."), MORE),
    "smalltalk": reply("smalltalk", Text("Hello.")),
    "unknown": reply("unknown", Text("I don't know that."), Choices("Did you mean:", (Choice("Flask", "Flask?"),))),
}
ROADMAP = reply("topic", Heading("Roadmap"), Items(items(9), numbered=True), CREDIT)

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


class SampleDesk:
    """Gives the reply whose kind is in the question, else the topic; raises on "boom". Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        if "boom" in question.text:
            raise RuntimeError("boom")
        if not question.text:
            return KINDS["help"]
        return next((KINDS[kind] for kind in KINDS if kind in question.text), KINDS["topic"])


class SampleClaims:
    """Claims in memory."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def claim(self, key: str) -> bool:
        fresh = key not in self.taken
        self.taken.add(key)
        return fresh

    def release(self, key: str) -> None:
        self.taken.discard(key)
