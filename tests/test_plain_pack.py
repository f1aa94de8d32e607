"""Packs of plain topics: nothing that they show speaks of cards, and every button that they show is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.engine import Engine, ProcessMemory
from bot.knowledge import load
from bot.model import Knowledge, Question, Reply
from bot.reply import compose, greet, plain_text
from bot.slack.blocks import render_blocks
from bot.slack.blocks.views import FIRST_PAGE, TOPICS_PAGE, home_view, modal_view, search_blocks
from bot.slack.manifest import manifest
from bot.slack.payloads import ModalState
from bot.slack.strings import load_strings
from bot.understanding import Matcher
from support.samples import finding

SMALLEST = {
    "pack.yaml": "name: Demo\n",
    "answers.yaml": "- id: opening-hours\n  title: When are you open?\n  asks: [when are you open, opening hours]\n"
    "  answer: Weekdays from nine to five.\n",
}
HANDBOOK = Path(__file__).parent / "packs" / "handbook"
PACKS = ("smallest", "handbook")
WORDS_OF_CARDS = re.compile(
    r"\b(?:librar\w*|cards?|compar\w*|side by side|list a|recommend\w*|roadmap|steps?|by kind|of the kind|install\w*|"
    r"capabilit\w*|python|packages?|frameworks?|frontend|backend)\b",
    re.IGNORECASE,
)
NAMED = "A name: "


@pytest.fixture(scope="module", params=PACKS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = HANDBOOK
    if request.param == "smallest":
        folder = tmp_path_factory.mktemp("pack")
        for name, text in SMALLEST.items():
            (folder / name).write_text(text, encoding="utf-8")
    return Engine(Matcher.from_knowledge(load(folder)))


def replies(known: Knowledge) -> Iterator[Reply]:
    """Every reply that such a pack has, except its entries' own words."""
    first = known.entries[0].id
    yield greet(known)
    yield compose(finding("help"), known)
    for talk in known.voice.small_talk:
        if talk not in ("help", "source"):  # a pack without a source isn't asked for it
            yield compose(finding("smalltalk", talk=talk), known)
    yield compose(finding("unknown"), known)
    yield compose(finding("unknown", first), known)
    yield compose(finding("unknown", lacks_context=True), known)
    yield compose(finding("unknown", out_of_scope=(NAMED,)), known)
    yield compose(finding("unknown", first, mentioned_only=(NAMED,)), known)
    yield compose(finding("topic", first, out_of_scope=(NAMED,)), known)


def views(known: Knowledge) -> Iterator[dict[str, Any]]:
    """The pages of the Home tab, and the search."""
    strings = load_strings(known.voice.lines, known.name)
    for page in (FIRST_PAGE, TOPICS_PAGE):
        yield home_view(known, page, strings)
    yield modal_view(ModalState(search=True), search_blocks(known, strings), strings)


def shown(known: Knowledge) -> Iterator[str]:
    """Every text that is shown, without the entries' own words."""
    for reply in replies(known):
        yield plain_text(reply)
        for layout in ("classic", "cards"):
            yield from texts(render_blocks(reply, layout, load_strings(known.voice.lines)))  # type: ignore[arg-type]
    for view in views(known):
        yield from texts(view)
    yield from texts(manifest(name=known.name, about=known.about))
    yield load_strings(known.voice.lines)["chores"]


def texts(node: Any) -> Iterator[str]:
    """The texts of blocks, of a view or of the manifest."""
    if isinstance(node, dict):
        for key in ("text", "description", "usage_hint", "placeholder"):
            if isinstance(node.get(key), str):
                yield node[key]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from texts(each)


def pressed(node: Any) -> Iterator[str]:
    """What the buttons in blocks or in a view ask."""
    if isinstance(node, dict):
        if node.get("type") == "button" and node["action_id"].startswith("ask"):
            yield node["value"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from pressed(each)


def test_no_word_of_cards_is_shown(engine: Engine) -> None:
    known = engine.knowledge
    own = {
        word.casefold() for entry in known.entries for word in WORDS_OF_CARDS.findall(f"{entry.title} {entry.answer}")
    }
    found = {word.casefold(): text for text in shown(known) for word in WORDS_OF_CARDS.findall(text)}
    assert {word: text for word, text in found.items() if word not in own} == {}


def test_every_button_is_answered(engine: Engine) -> None:
    known = engine.knowledge
    shown = [render_blocks(reply, "cards") for reply in replies(known)] + [[view] for view in views(known)]
    asked = set(pressed(shown))
    assert {entry.title for entry in known.entries[:5]} <= asked
    assert {text for text in asked if engine.answer(Question(text)).kind != "topic"} == set()


def test_the_help_and_the_views_name_the_pack(engine: Engine) -> None:
    known = engine.knowledge
    front, _, search = views(known)
    assert plain_text(compose(finding("help"), known)).startswith(f"{known.name}\n")
    assert front["blocks"][0]["text"]["text"] == known.name
    assert search["title"]["text"] == known.name


def test_the_title_of_another_entry_is_asked_for_though_it_seems_to_point_back(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text("name: House\nabout: the house\n", encoding="utf-8")
    (tmp_path / "answers.yaml").write_text(
        "- {id: canteen, title: When is the canteen open?, asks: [canteen hours], answer: From eleven to two.}\n"
        "- {id: gym, title: How much does it cost?, asks: [price of the gym], answer: Ten euros a month.}\n",
        encoding="utf-8",
    )
    engine = Engine(Matcher.from_knowledge(load(tmp_path)), ProcessMemory())
    asked = ("canteen hours", "how much does it cost?")
    assert [engine.answer(Question(text, conversation="1")).ids for text in asked] == [("canteen",), ("gym",)]
