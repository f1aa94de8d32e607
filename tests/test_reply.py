"""Replies: every kind as plain text, complete and within bounds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

from bot.markdown import plain
from bot.model import (
    Attribute,
    Card,
    Choice,
    Choices,
    DatedNote,
    Entry,
    Evidence,
    Facts,
    Formatted,
    Group,
    Heading,
    Item,
    Items,
    Knowledge,
    Library,
    Note,
    Reply,
    Step,
    Table,
    Text,
)
from bot.reply import compose, greet, plain_text
from bot.reply.entry import MOST_BELOW_CARD, MOST_RELATED
from bot.reply.plain_text import PLAIN_LIMIT
from bot.text import sentences
from support.samples import FINDINGS, GOLDEN, finding, golden, pack, sample
from support.shipped import answer, found, knowledge


def reply(*parts: object) -> Reply:
    return Reply(kind="topic", ids=(), parts=parts, evidence=Evidence(understood=""))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FINDINGS)
def test_plain_text_equals_the_golden_file(name: str) -> None:
    drawn = plain_text(sample(name)) + "\n"
    assert drawn == golden(f"{name}.txt", drawn)


@pytest.mark.parametrize("name", FINDINGS)
def test_a_reply_is_about_what_was_found(name: str) -> None:
    assert (sample(name).kind, sample(name).ids) == (FINDINGS[name].kind, FINDINGS[name].ids)


# --- parts


def part(name: str, kind: type) -> object:
    (found,) = [each for each in sample(name).parts if isinstance(each, kind)]
    return found


def test_a_comparison_has_a_word_for_every_gap() -> None:
    table = part("compare", Table)
    assert isinstance(table, Table)
    assert {len(row) for row in table.rows} == {len(table.columns)} == {4}
    assert [cell for row in table.rows for cell in row if not cell] == []
    assert (table.rows[0], table.rows[-1][3]) == (("Side", "By hand", "Powered", "By hand"), pack().voice.lines["gap"])


def test_a_side_is_called_by_its_label() -> None:
    assert [
        name for name in ("library", "library-beyond", "compare", "list") if "by-hand" in plain_text(sample(name))
    ] == []


def test_a_row_that_says_nothing_about_anyone_is_left_out() -> None:
    table = [each for each in compose(finding("compare", "plane", "jigsaw"), pack()).parts if isinstance(each, Table)]
    assert pack().voice.lines["label_install"] in [row[0] for row in table[0].rows]
    bare = compose(finding("compare", "plane", "plane"), pack())
    assert [each for each in bare.parts if isinstance(each, Table)] == []
    assert Facts((("In common", "By hand"),)) in bare.parts


def test_what_all_compared_cards_share_stands_above_the_table() -> None:
    parts = compose(finding("compare", "handsaw", "plane"), pack()).parts
    (table,) = [each for each in parts if isinstance(each, Table)]
    assert Facts((("In common", "By hand"),)) in parts
    assert [row[0] for row in table.rows] == ["What it is", "Capabilities", "Install", "Take it if"]
    assert table.rows[-1] == ("Take it if", "it's for long cuts or quiet hours", "not said")


# --- a card says nothing twice

CARDS = {
    "the summary is a sentence of the answer": (
        "Cuts along the grain.",
        "Cuts along the grain. It needs no power.\n- One is enough.",
        "Cuts along the grain. It needs no power.",
        "- One is enough.",
    ),
    "the summary says it in other words": (
        "Long saw that cuts wood by hand.",
        "A saw for cutting wood with your hands.\n\nOil it.",
        "A saw for cutting wood with your hands.",
        "Oil it.",
    ),
    "the summary says more": (
        "Cuts along the grain. Ask Mia before you borrow one.",
        "It cuts along the grain.",
        "It cuts along the grain. Ask Mia before you borrow one.",
        "",
    ),
    "a number is new": ("Costs 12 a day.", "What it costs a day changes.", "What it costs a day changes. Costs 12 a day.", ""),
    "the summary denies it": (
        "It doesn't cut metal.", "It cuts wood and metal.", "It cuts wood and metal. It doesn't cut metal.", ""
    ),
    "what leads to a list stays with it": ("", "It has:\n- a blade", "", "It has:\n\n- a blade"),
    "a line feed in a paragraph is a blank": ("", "One line\nand another.", "One line and another.", ""),
    "a paragraph of two lines stays whole": ("", "One line\\\nand another.", "", "One line\nand another."),
    "what may be formatted stays as it is": ("", "Press `q`.\n- a", "", "Press q.\n\n- a"),
    "a long paragraph stays below the card": ("", "Word " * 50 + "end.", "", "Word " * 50 + "end."),
}  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_nothing_twice(name: str) -> None:
    summary, answered, shown, below = CARDS[name]
    card = Library(id="x", title="X", name="X", answer=answered, asks=("x",), summary=summary)
    parts = compose(finding("library", "x"), replace(pack(), by_id={"x": card})).parts
    assert [part.summary for part in parts if isinstance(part, Card)] == [shown]
    assert [plain(part.blocks) for part in parts if isinstance(part, Formatted)] == ([below] if below else [])


def test_every_sentence_of_the_shipped_cards_stands_once() -> None:
    known = knowledge()
    shown = {
        card.id: sentences(plain_text(compose(finding("library", card.id), known)))
        for card in known.entries
        if isinstance(card, Library)
    }
    assert {name: said for name, said in shown.items() if len(said) != len(set(said))} == {}


# --- a card's notes


def test_a_card_has_the_short_form_of_its_notes_and_a_button_for_all_of_them() -> None:
    parts = compose(finding("library", "handsaw"), pack()).parts
    assert [part.note for part in parts if isinstance(part, DatedNote)] == [
        Note("2024-02-29", "The maker has closed.", "", short="The maker has closed.")
    ]
    assert Choice("What's new", "What's new in Handsaw?") in [
        choice for part in parts if isinstance(part, Choices) for choice in part.choices
    ]


def test_news_are_all_notes_and_nothing_else() -> None:
    parts = compose(finding("library", "handsaw", attribute=Attribute("news")), pack()).parts
    assert [type(part) for part in parts] == [Heading, DatedNote, DatedNote, Choices]
    assert [part.note.date for part in parts if isinstance(part, DatedNote)] == ["2024-03-01", "2024-02-29"]
    assert isinstance(parts[0], Heading)
    assert parts[0].text == "Handsaw · What's new"


def test_a_card_without_notes_has_no_news() -> None:
    reply = compose(finding("library", "jigsaw", attribute=Attribute("news")), pack())
    assert reply.parts[0] == Text(pack().voice.lines["beyond"])
    assert "What's new" not in plain_text(compose(finding("library", "jigsaw"), pack()))


def test_a_step_leads_back_on_and_to_all_of_them() -> None:
    labels = {name: [c.label for p in compose(finding("step", name), pack()).parts if isinstance(p, Choices) for c in p.choices]
              for name in ("step-sharpen", "step-joint")}  # fmt: skip
    assert labels == {
        "step-sharpen": ["Next: Cut a first joint", "All steps"],
        "step-joint": ["Previous: Learn to sharpen", "All steps"],
    }


def test_few_questions_stand_under_an_answer() -> None:
    assert [len(p.choices) for p in sample("library").parts if isinstance(p, Choices)] == [MOST_BELOW_CARD]
    topic = compose(finding("topic", "python-frontend-or-backend"), knowledge())
    assert [len(p.choices) for p in topic.parts if isinstance(p, Choices)] == [MOST_RELATED]


def test_a_list_tells_apart_what_could_only_serve_as_well() -> None:
    lists = [(p.heading, [item.title for item in p.items]) for p in sample("list").parts if isinstance(p, Items)]
    assert lists == [("By hand", ["Handsaw"]), ("Powered", ["Jigsaw"]), ("Could serve as well", ["Plane"])]


# --- the help


def entry_of(kind: str, name: str) -> Entry:
    """A topic, a step or a card with this title."""
    if kind == "library":
        return Library(id=name.lower(), title=name, name=name, answer="It is.", asks=(name,), side="side")
    if kind == "step":
        return Step(id=name.lower(), title=name, answer="Do it.", asks=(name,), of="topic", number=1)
    return Entry(id=name.lower(), title=name, answer="It is.", asks=(name,))


ABILITIES = {
    "topics": (["topic Ours"], ""),
    "a card": (["library Saw"], "I can explain one thing by its name."),
    "cards": (["library Saw", "library Axe"], "I can explain one thing by its name and compare two."),
    "a group of one": (
        ["library Saw", "group"],
        "I can explain one thing by its name and suggest one for what you need.",
    ),
    "a group": (
        ["library Saw", "library Axe", "group"],
        "I can explain one thing by its name, compare two, list a kind and suggest one for what you need.",
    ),
    "steps": (["topic Ours", "step One"], "I can lead you through steps."),
}


def with_entries(listed: list[str]) -> Knowledge:
    """The small pack with other entries, and one group of all cards if it is listed."""
    entries = tuple(entry_of(*each.split()) for each in listed if each != "group")
    groups = (Group(id="side", title="Side", label="side"),) if "group" in listed else ()
    known = replace(pack(), entries=entries, groups=groups, by_id={entry.id: entry for entry in entries})
    return replace(known, voice=replace(known.voice, examples=()))


@pytest.mark.parametrize("name", ABILITIES)
def test_the_help_says_only_what_works(name: str) -> None:
    listed, said = ABILITIES[name]
    known = with_entries(listed)
    (text,) = [part.text for part in compose(finding("help"), known).parts if isinstance(part, Text)]
    about = f"I answer questions about {known.about}."
    assert text == f"{about} {said}".strip() + f"\n{known.voice.small_talk['help'].answer}".rstrip()


def test_without_examples_the_first_titles_are_offered_and_none_twice() -> None:
    known = with_entries(
        ["step One", "topic Ours", "topic ours", "library Saw", "topic Two", "topic Three", "topic Four"]
    )
    offered = [c.ask for p in compose(finding("help"), known).parts if isinstance(p, Choices) for c in p.choices]
    assert offered == ["Ours", "What is Saw?", "Two", "Three", "Four"]
    greeted = [c.ask for p in greet(known).parts if isinstance(p, Choices) for c in p.choices]
    assert greeted == ["Ours", "What is Saw?", "Two"]
    assert [c.ask for p in greet(with_entries(["step One"])).parts if isinstance(p, Choices) for c in p.choices] == [
        "One"
    ]


# --- within bounds


def every_reply() -> Iterable[tuple[str, Reply]]:
    """All that the shipped pack can say: each entry, list, recommendation, comparison of two, and talk."""
    known = knowledge()
    cards = [entry for entry in known.entries if isinstance(entry, Library)]
    findings = [finding(entry.kind, entry.id) for entry in known.entries]
    findings += [finding("library", card.id, beyond=True) for card in cards]
    findings += [finding("list", *(card.id for card in known.members(group)), group=group.id) for group in known.groups]
    findings += [finding("recommend", *[card.id for card in known.members(g)][:4], group=g.id) for g in known.groups]
    findings += [finding("compare", one.id, two.id) for one, two in itertools.combinations(cards, 2)]
    longest = sorted(cards, key=lambda card: -sum(map(len, (*card.good_for, *card.capabilities, card.what))))
    findings += [finding("compare", *(card.id for card in longest[:many])) for many in range(3, 26)]
    findings += [finding("smalltalk", talk=name) for name in known.voice.small_talk] + [
        finding("help"),
        finding("unknown"),
    ]
    ids = [entry.id for entry in known.entries]
    findings += [finding("unknown", *ids[at : at + 3]) for at in range(0, len(ids), 3)]
    for each in findings:
        yield f"{each.kind} {' '.join(each.ids)}", compose(each, known)


def test_every_text_is_within_its_limit_and_whole() -> None:
    """Whole: the last part, where the facts come from or what to ask next, is still there."""
    drawn = [(name, plain_text(made), plain_text(replace(made, parts=made.parts[-1:]))) for name, made in every_reply()]
    assert [(name, len(text)) for name, text, end in drawn if len(text) > PLAIN_LIMIT or not text.endswith(end)] == []


MARKUP = re.compile(r"[*_~`]\w[^*_~`\n]*[*_~`](?!\w)|<[@#!/a-z]|&(?:amp|lt|gt);|\{[{%]|\\[nt]|\x1b|\t|\[/?[a-z]+\]")


def test_no_text_holds_markup() -> None:
    assert [
        (name, MARKUP.findall(plain_text(made))) for name, made in every_reply() if MARKUP.search(plain_text(made))
    ] == []


def test_the_list_of_everything_names_everything() -> None:
    cards = [entry for entry in knowledge().entries if isinstance(entry, Library)]
    text = plain_text(compose(finding("list", *(card.id for card in cards), group="all"), knowledge()))
    assert len(cards) == 25
    assert [card.name for card in cards if f"- {card.name}: " not in text] == []


def test_the_roadmap_shows_its_steps_in_order() -> None:
    text = plain_text(compose(finding("topic", "become-python-developer"), knowledge()))
    steps = [entry for entry in knowledge().entries if isinstance(entry, Step)]
    shown = re.findall(r"^\d\. .*", text, re.MULTILINE)
    assert shown == [f"{step.number}. {step.title}" for step in sorted(steps, key=lambda step: step.number)]


def test_a_comparison_tells_of_everything_that_it_says_it_compares() -> None:
    names = [entry.id for entry in knowledge().entries if isinstance(entry, Library)][:7]
    made = compose(finding("compare", *names), knowledge())
    text = plain_text(made)
    assert [name for name in made.ids if knowledge().by_id[name].label not in text] == []


@pytest.mark.parametrize("parts", [(Text("word " * 2_000),), (Heading("Title"), Text("word " * 2_000))])
def test_a_text_that_is_too_long_is_cut_and_shows_it(parts: tuple[Text, ...]) -> None:
    text = plain_text(reply(*parts))
    assert text.endswith("…")
    assert PLAIN_LIMIT - 100 < len(text) <= PLAIN_LIMIT


def test_a_list_that_is_too_long_is_cut_between_items() -> None:
    text = plain_text(reply(Heading("Many"), Items(tuple(Item(f"Item {n}", "what it is") for n in range(1_000)))))
    assert PLAIN_LIMIT - 100 < len(text) <= PLAIN_LIMIT
    assert [line for line in text.splitlines()[2:-1] if not re.fullmatch(r"- Item \d+: what it is", line)] == []


# --- people's words

VAGUE = [
    "framework for app",
    "something for the web",
    "how to make website",
    "what should i learn",
    "which is better",
    "library tool",
    "data stuff",
    "make it fast",
    "step",
]


@pytest.mark.parametrize("text", ["what is zzqxy", "flask vs zzqxy", "java zzqxy", "zzqxy numpy", "is zzqxy.js async"])
def test_of_what_was_typed_only_an_unknown_name_comes_back(text: str) -> None:
    """It is letters and digits, and a few, so that it can't ping, link or format, and is no key."""
    assert set(re.findall(r"\S*zzqxy\S*", plain_text(answer(text)))) <= {"zzqxy", "zzqxy:", "zzqxy.js:"}


@pytest.mark.parametrize(
    "typed",
    ["<!channel>", "*zzqxy*", "zz_qxy", "zzqxyzzqxyzzqxyzzqxyzzqxy", "a1b2c3d4e5", "zzqxÿ", "@zzqxy", "<@U0ZZQXY>"],
)
def test_nothing_else_that_was_typed_comes_back(typed: str) -> None:
    for text in (f"what is {typed}", f"flask vs {typed}", f"what is flask {typed}", f"{typed} web framework"):
        assert typed not in plain_text(answer(text))


def test_at_most_three_are_offered_and_each_is_ours() -> None:
    offers = [found(text).ids for text in (*VAGUE, *knowledge().out_of_scope.asks) if found(text).kind == "unknown"]
    assert any(offers)
    assert [ids for ids in offers if len(ids) > 3 or not set(ids) <= set(knowledge().by_id)] == []


def test_every_golden_file_belongs_to_a_finding() -> None:
    wanted = {f"{name}{ending}" for name in FINDINGS for ending in (".txt", ".terminal.txt")}
    assert {file.name for file in GOLDEN.glob("*.txt")} == wanted
