"""Drawings: golden ones, and every one within Slack's limits."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from slack_lint import faults, view_faults
from slack_samples import (
    EXTREMES,
    HOSTILE,
    KINDS,
    MANY_CHOICES,
    NEIGHBOURS,
    ONE,
    PARTLY,
    ROADMAP,
    SHORT_LIST,
    WHY,
    knowledge,
    reply,
)

from bot.model import Choice, Choices, Item, Items, Reply, Text
from bot.slack import views
from bot.slack.answering import fallback
from bot.slack.blocks import MOST_BUTTONS, attribution, draw
from bot.slack.foot import Foot, under
from bot.slack.limits import cut, size
from bot.slack.values import Asked, Modal
from bot.slack.words import default_words, words_of

GOLDEN = Path(__file__).parent / "golden"
DRAWN = KINDS | {
    "roadmap": ROADMAP,
    "list-short": SHORT_LIST,
    "recommend-one": ONE,
    "step-neighbours": NEIGHBOURS,
    "unknown-partly": PARTLY,
    "help-many": MANY_CHOICES,
    "why": WHY,
}


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("name", DRAWN)
def test_golden(name: str, layout: Any) -> None:
    golden(f"{name}-{layout}", draw(DRAWN[name], layout))


def golden(name: str, drawn: Any) -> None:
    """Compare with the golden drawing."""
    file = GOLDEN / f"{name}.json"
    if os.environ.get("GOLDEN") == "write":  # look at what changed before committing it
        file.write_text(json.dumps(drawn, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert drawn == json.loads(file.read_text(encoding="utf-8"))


FOOT = Foot(key="k", subject="topic||t", why="which side?", again=Asked("topic||t", "which side?"), passing="share")
VIEWS = {
    "modal": lambda words: views.modal(Modal(("a", "b"), channel="C1"), draw(KINDS["topic"]), words, back=1),
    "modal-search": lambda words: views.modal(
        Modal(("which *side*?",), search=True), views.search_page(knowledge(), words), words
    ),
    **{
        f"home-{page.replace(':', '-')}": lambda words, page=page: views.home(knowledge(), page, words)
        for page in ("front", "group:backend", "steps:way", "kinds", "topics")
    },
}


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("state", ["open", "bad", "voted"])
def test_golden_foot(state: Any, layout: Any) -> None:
    golden(f"foot-{state}-{layout}", under(replace(FOOT, state=state, note="Done."), layout, default_words()))


@pytest.mark.parametrize("name", VIEWS)
def test_golden_view(name: str) -> None:
    view = VIEWS[name](default_words())
    assert view_faults(view) == []
    golden(f"view-{name}", view)


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("name", [*DRAWN, *EXTREMES])
def test_within_the_limits(name: str, layout: Any) -> None:
    made = (DRAWN | EXTREMES)[name]
    blocks = draw(made, layout)
    assert faults(blocks or [{"type": "divider"}]) == []
    assert size(fallback(made)) <= 4_000


def test_a_classic_drawing_fits_a_modal_and_the_home_tab() -> None:
    for made in (DRAWN | EXTREMES).values():
        blocks = draw(made) or [{"type": "divider"}]
        assert faults(blocks, "modal") == []
        assert faults(blocks, "home") == []


def test_nothing_hostile_is_parsed() -> None:
    for layout in ("classic", "cards"):
        for text in _parsed(draw(EXTREMES["hostile"], layout)):  # type: ignore[arg-type]
            assert not set("*_~`") & set(text.partition("|")[2])
            assert "<!" not in text
            assert "<@" not in text
    assert "<" not in fallback(reply("unknown", Text(HOSTILE)))


def _parsed(node: Any) -> list[str]:
    """The texts that Slack reads as mrkdwn."""
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" else []
        return own + [text for value in node.values() for text in _parsed(value)]
    return [text for item in node for text in _parsed(item)] if isinstance(node, list) else []


def test_a_button_asks_its_words() -> None:
    blocks = draw(reply("help", Choices("Try", (Choice("Flask", "What is Flask?"),))))
    (button,) = blocks[-1]["elements"]
    assert (button["action_id"], button["value"]) == ("ask:1", "What is Flask?")


def test_many_items_share_one_menu() -> None:
    many = tuple(Item(f"Library {n}", ask=f"What is library {n}?") for n in range(25))
    blocks = draw(reply("list", Items(many[:12], "A"), Items(many[12:], "B")))
    menus = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    assert [len(menu["options"]) for menu in menus] == [25]


def test_the_rows_beside_an_answer_are_within_the_limits() -> None:
    words = default_words()
    for passing in ("", "share", "reply"):
        for state in ("open", "bad", "voted"):
            for layout in ("classic", "cards"):
                foot = Foot(
                    key="k" * 16,
                    subject="s" * 900,
                    why="q" * 5000,
                    again=Asked("s" * 900, HOSTILE * 20),
                    passing=passing,  # type: ignore[arg-type]
                    state=state,  # type: ignore[arg-type]
                    note="done",
                )
                drawn = under(foot, layout, words)  # type: ignore[arg-type]
                assert faults([attribution("U1", words), *drawn]) == []
                assert max(len(block["elements"]) for block in drawn) <= MOST_BUTTONS


def test_feedback_is_slacks_own_where_it_is_allowed() -> None:
    foot = Foot(key="k", subject="topic||t", why="q")
    kinds = {
        layout: [block["type"] for block in under(foot, layout, default_words())] for layout in ("cards", "classic")
    }  # type: ignore[arg-type]
    assert kinds == {"cards": ["actions", "context_actions"], "classic": ["actions"]}


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("name", DRAWN)
def test_no_button_twice_and_no_more_than_a_phone_shows(name: str, layout: Any) -> None:
    blocks = draw(DRAWN[name], layout)
    pressed = [each for each in _elements(blocks) if each["type"] == "button" and "value" in each]
    beside = [each for block in blocks if block["type"] == "actions" for each in _elements([block]) if "value" in each]
    assert len({each["value"] for each in pressed}) == len(pressed)
    assert len(beside) <= MOST_BUTTONS


def _elements(node: Any) -> list[dict[str, Any]]:
    """The buttons in it."""
    if isinstance(node, dict):
        own = [node] if node.get("type") == "button" else []
        return own + [each for value in node.values() for each in _elements(value)]
    return [each for item in node for each in _elements(item)] if isinstance(node, list) else []


def test_a_card_has_docs_compare_and_related() -> None:
    card, *below = draw(KINDS["library"], "cards")
    told = [(each["text"]["text"], each.get("accessibility_label", "")) for each in card["actions"]]
    assert told == [
        ("Docs", "Documentation: Flask"),
        ("Compare with Django", ""),
        ("Related: What is Bottle?", ""),
    ]
    assert [each["text"]["text"] for each in _elements(below)] == ["Roadmap"]
    assert "Homepage" in json.dumps(below)


def test_short_lists_are_one_carousel() -> None:
    for made, number in ((SHORT_LIST, 5), (KINDS["recommend"], 3)):
        (carousel,) = [block for block in draw(made, "cards") if block["type"] == "carousel"]
        assert len(carousel["elements"]) == number
        assert all(each["actions"][0]["text"]["text"] == "Open" for each in carousel["elements"])
    long = draw(KINDS["list"], "cards")
    assert "carousel" not in [block["type"] for block in long]
    assert draw(ONE, "cards")[1]["type"] == "card"


def test_the_fifty_first_block_is_left_out() -> None:
    assert len(draw(EXTREMES["many"])) == 50


def test_the_lint_finds_faults() -> None:
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "x" * 76}, "value": "v" * 2001}
    found = faults(
        [
            {"type": "header", "text": {"type": "mrkdwn", "text": "x" * 151}},
            {"type": "actions", "elements": [button, button]},
            {"type": "section"},
            {"type": "section", "text": {"type": "mrkdwn", "text": "<!here>"}},
            {"type": "markdown", "text": "x"},
            {"type": "rich_text", "elements": []},
            {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]},
            {"type": "carousel", "elements": [{"type": "card"}] * 11},
        ]
    )
    for word in (
        "151",
        "only plain_text",
        "76",
        "value",
        "'a' is there 2",
        "neither",
        "live",
        "no block",
        "says",
        "empty",
    ):
        assert any(word in fault for fault in found), word
    assert faults([]) == ["blocks: there are none"]


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("short", 10, "short"),
        ("one two three four", 12, "one two…"),
        ("onetwothreefour", 8, "onetwot…"),
        ("🐍🐍🐍🐍", 6, "🐍🐍…"),
    ],
)
def test_cut(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected


def test_a_pack_overrides_words() -> None:
    assert words_of({"share": "Show them", "unknown": "x"})["share"] == "Show them"
    assert "unknown" not in words_of({"unknown": "x"})


def test_every_part_is_drawn_once() -> None:
    made: Reply = KINDS["library"]
    told = json.dumps(draw(made), ensure_ascii=False)
    for words in ("Flask", "micro framework", "It does this.", "small services", "The name of", "Two sides", "Bottle"):
        assert words in told
