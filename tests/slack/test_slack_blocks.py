"""Rendered replies: they equal the golden files, and each is within Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.model import Choice, Choices, Code, Entry, HelpRequest, Item, Items, Library, Text
from bot.reply.facts import install_spans
from bot.slack.blocks import MAX_BUTTONS, render_blocks, shared_by_block
from bot.slack.blocks import help_requests as people
from bot.slack.blocks.footer import AnswerFooter, footer_blocks
from bot.slack.blocks.limits import cut, size
from bot.slack.blocks.views import home_view, modal_view, search_blocks
from bot.slack.outgoing import reply_text
from bot.slack.payloads import AnswerRef, HelpFormState, ModalState
from bot.slack.strings import default_strings, load_strings
from support.block_lint import faults, view_faults
from support.golden import golden
from support.slack_samples import (
    CARD,
    CARD_WITH_ROW,
    CREDIT,
    EXTREME_TEXTS,
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
    help_requests,
    knowledge,
    reply,
)

REPLIES = KINDS | {
    "library-row": CARD_WITH_ROW,
    "roadmap": ROADMAP,
    "list-short": SHORT_LIST,
    "recommend-one": ONE,
    "step-neighbours": NEIGHBOURS,
    "unknown-partly": PARTLY,
    "help-many": MANY_CHOICES,
    "why": WHY,
}


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("name", REPLIES)
def test_golden(name: str, layout: Any) -> None:
    golden(f"{name}-{layout}", render_blocks(REPLIES[name], layout))


FOOTER = AnswerFooter(
    key="k", answer_ref="topic||t", why="which side?", shared=AnswerRef("topic||t", "which side?"), share_mode="share"
)
VIEWS = {
    "modal": lambda strings: modal_view(
        ModalState(("a", "b"), channel="C1"), render_blocks(KINDS["topic"]), strings, back=1
    ),
    "modal-search": lambda strings: modal_view(
        ModalState(("which *side*?",), search=True), search_blocks(knowledge(), strings), strings
    ),
    **{
        f"home-{page.replace(':', '-')}": lambda strings, page=page: home_view(knowledge(), page, strings)
        for page in ("front", "group:backend", "steps:way", "kinds", "topics")
    },
}


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("state", ["open", "asking_reason", "voted"])
def test_golden_footer(state: Any, layout: Any) -> None:
    footer = replace(FOOTER, state=state, note="Done.")
    golden(f"foot-{state.replace('_', '-')}-{layout}", footer_blocks(footer, layout, default_strings()))


@pytest.mark.parametrize("name", VIEWS)
def test_golden_view(name: str) -> None:
    view = VIEWS[name](default_strings())
    assert view_faults(view) == []
    golden(f"view-{name}", view)


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("name", [*REPLIES, *EXTREMES])
def test_within_the_limits(name: str, layout: Any) -> None:
    sample = (REPLIES | EXTREMES)[name]
    blocks = render_blocks(sample, layout)
    assert faults(blocks or [{"type": "divider"}]) == []
    assert size(reply_text(sample)) <= 4_000


def test_the_classic_layout_fits_a_modal_and_the_home_tab() -> None:
    for sample in (REPLIES | EXTREMES).values():
        blocks = render_blocks(sample) or [{"type": "divider"}]
        assert faults(blocks, "modal") == []
        assert faults(blocks, "home") == []


def test_nothing_hostile_is_parsed() -> None:
    for layout in ("classic", "cards"):
        for text in _parsed(render_blocks(EXTREMES["hostile"], layout)):  # type: ignore[arg-type]
            assert not set("*_~`") & set(text.partition("|")[2])
            assert "<!" not in text
            assert "<@" not in text
    assert "<" not in reply_text(reply("unknown", Text(HOSTILE)))


def _parsed(node: Any) -> list[str]:
    """The texts that Slack reads as mrkdwn."""
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" else []
        return own + [text for value in node.values() for text in _parsed(value)]
    return [text for item in node for text in _parsed(item)] if isinstance(node, list) else []


def test_a_button_asks_its_words() -> None:
    blocks = render_blocks(reply("help", Choices("Try", (Choice("Flask", "What is Flask?"),))))
    (button,) = blocks[-1]["elements"]
    assert (button["action_id"], button["value"]) == ("ask:1", "What is Flask?")


def test_many_items_share_one_menu() -> None:
    many = tuple(Item(f"Library {n}", ask=f"What is library {n}?") for n in range(25))
    blocks = render_blocks(reply("list", Items(many[:12], "A"), Items(many[12:], "B")))
    menus = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    assert [len(menu["options"]) for menu in menus] == [25]


def test_the_blocks_below_an_answer_are_within_the_limits() -> None:
    strings = default_strings()
    for share_mode in ("", "share", "reply"):
        for state in ("open", "asking_reason", "voted"):
            for layout in ("classic", "cards"):
                footer = AnswerFooter(
                    key="k" * 16,
                    answer_ref="s" * 900,
                    why="q" * 5000,
                    shared=AnswerRef("s" * 900, HOSTILE * 20),
                    share_mode=share_mode,  # type: ignore[arg-type]
                    state=state,  # type: ignore[arg-type]
                    note="done",
                )
                blocks = footer_blocks(footer, layout, strings)  # type: ignore[arg-type]
                assert faults([shared_by_block("U1", strings), *blocks]) == []
                assert max(len(block["elements"]) for block in blocks) <= MAX_BUTTONS


@pytest.mark.parametrize("name", EXTREME_TEXTS)
def test_what_is_put_to_people_is_within_the_limits_and_never_parsed(name: str) -> None:
    """With titles of 500 characters, ids of 200, and thirty entries."""
    strings, text = default_strings(), EXTREME_TEXTS[name]
    entry = Entry(id="e" * 200, title=text[:-1], answer="A.", asks=("a",))
    pack = replace(knowledge(), entries=(entry,), by_id={entry.id: entry})
    form = people.help_form(HelpFormState("C" * 200, "1" * 200), text, "C1", "U1", 90, strings)
    assert view_faults(form) == []
    for request in help_requests(text, "U" * 200, entry.id):
        messages = [people.post_blocks(request, pack, strings)]
        texts = [people.post_text(request, pack, strings)]
        notes = [people.asked_before(request, pack, 2.0, strings)]
        if request.outcome:
            messages.append(people.told_blocks(request, strings))
            texts.append(people.told_text(request, strings))
            notes.append(people.settled_message(request, pack, strings))
        assert [fault for blocks in messages for fault in faults(blocks)] == []
        assert [fault for note in notes for fault in view_faults(people.note_view(note, strings))] == []
        assert max(map(size, texts)) <= 3_000
        assert not any(text in each for each in texts)
        assert not any("evil" in parsed for blocks in (*messages, form["blocks"]) for parsed in _parsed(blocks))


def test_an_answers_name_in_the_help_channel_is_short() -> None:
    strings = default_strings()
    cards = ",".join(f"card{number}" for number in range(9))
    for ref, name in {
        f"unknown||{cards}": "I would have offered: Card0, Card1, Card2, Card3, Card4 and 4 more",
        f"list|frontend|{cards}": "I would have answered with: “Frontend libraries”",
        "list|gone|": "I would have answered with: gone",
        "topic||t": "I would have answered with: “Which side is it?”",
        "unknown||": "I had no answer myself.",
    }.items():
        request = HelpRequest(id="r", workspace="T0", asker="U1", text="which?", answer_ref=ref)
        assert people.post_text(request, knowledge(9), strings).split("\n")[1] == name


def test_feedback_is_slacks_own_where_it_is_allowed() -> None:
    footer = AnswerFooter(key="k", answer_ref="topic||t", why="q")
    kinds = {
        layout: [block["type"] for block in footer_blocks(footer, layout, default_strings())]  # type: ignore[arg-type]
        for layout in ("cards", "classic")
    }
    assert kinds == {"cards": ["actions", "context_actions"], "classic": ["actions"]}


@pytest.mark.parametrize("layout", ["classic", "cards"])
@pytest.mark.parametrize("name", REPLIES)
def test_no_button_twice_and_no_more_than_a_phone_shows(name: str, layout: Any) -> None:
    blocks = render_blocks(REPLIES[name], layout)
    buttons = [button for button in _buttons(blocks) if "value" in button]
    outside_cards = [
        button for block in blocks if block["type"] == "actions" for button in _buttons([block]) if "value" in button
    ]
    assert len({button["value"] for button in buttons}) == len(buttons)
    assert len(outside_cards) <= MAX_BUTTONS


def _buttons(node: Any) -> list[dict[str, Any]]:
    """The buttons in a block, or in a list of blocks."""
    if isinstance(node, dict):
        own = [node] if node.get("type") == "button" else []
        return own + [button for value in node.values() for button in _buttons(value)]
    return [button for item in node for button in _buttons(item)] if isinstance(node, list) else []


def test_questions_about_a_card_are_on_it_or_in_the_one_row_below() -> None:
    card, *below = render_blocks(CARD_WITH_ROW, "cards")
    assert [button["text"]["text"] for button in card["actions"]] == ["What's new", "Compare with Django"]
    assert [button["text"]["text"] for button in _buttons(below)] == ["Bottle"]
    classic = render_blocks(CARD_WITH_ROW, "classic")
    rows = [[button["text"]["text"] for button in _buttons([block])] for block in classic if block["type"] == "actions"]
    assert rows == [["What's new", "Compare with Django", "Bottle"]]


@pytest.mark.parametrize("layout", ["classic", "cards"])
def test_links_and_source_are_one_row_above_the_buttons(layout: Any) -> None:
    blocks = render_blocks(CARD_WITH_ROW, layout)
    rows = [block for block in blocks if block["type"] == "context" and "|" in json.dumps(block)]
    assert [[element["text"].partition("|")[2] for element in row["elements"]] for row in rows] == [
        ["Documentation>", "Homepage>", "From “Two sides” (A. Writer, 2023), paragraph 4>"]
    ]
    assert blocks.index(rows[0]) < next(n for n, block in enumerate(blocks) if block["type"] == "actions")
    without_source = [part for part in CARD_WITH_ROW.parts if part != CREDIT]
    links = [json.dumps(block) for block in render_blocks(reply("library", *without_source), layout)]
    assert [number for number, block in enumerate(links) if "Homepage" in block] == [len(links) - 3]


def test_a_summary_too_long_for_a_card_stands_once() -> None:
    long = replace(CARD, summary="Many words. " * 30)
    assert json.dumps(render_blocks(reply("library", long), "cards")).count("Many words.") == 30


CODE = {
    "pip install flask": [
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "pip install flask"}]}
    ],
    "`a`, or \\*b\\*": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "Install: ", "style": {"bold": True}},
                {"type": "text", "text": "a", "style": {"code": True}},
                {"type": "text", "text": ", or *b*"},
            ],
        }
    ],
}


@pytest.mark.parametrize("text", CODE)
def test_a_command_is_code(text: str) -> None:
    spans = install_spans(Library(id="a", title="A", name="A", answer="A.", asks=("a",), install=text))
    assert render_blocks(reply("library", Code("Install", spans))) == [{"type": "rich_text", "elements": CODE[text]}]


def test_short_lists_are_one_carousel() -> None:
    for sample, number in ((SHORT_LIST, 5), (KINDS["recommend"], 3)):
        (carousel,) = [block for block in render_blocks(sample, "cards") if block["type"] == "carousel"]
        assert len(carousel["elements"]) == number
        assert all(card["actions"][0]["text"]["text"] == "Open" for card in carousel["elements"])
    long = render_blocks(KINDS["list"], "cards")
    assert "carousel" not in [block["type"] for block in long]
    assert render_blocks(ONE, "cards")[1]["type"] == "card"


def test_the_fifty_first_block_is_left_out() -> None:
    assert len(render_blocks(EXTREMES["many"])) == 50


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
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("one two three four", 12, "one two…"),
        ("onetwothreefour", 8, "onetwot…"),
        ("🐍🐍🐍🐍", 6, "🐍🐍…"),
    ],
)
def test_cut(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


def test_a_pack_overrides_strings() -> None:
    assert load_strings({"share": "Show them", "unknown": "x"})["share"] == "Show them"
    assert "unknown" not in load_strings({"unknown": "x"})


def test_a_modal_is_titled_with_the_pack() -> None:
    assert load_strings({}, "Handbook")["modal_title"] == "Handbook"
    long = modal_view(ModalState(), [], load_strings({}, "A handbook with a very long name"))
    assert view_faults(long | {"blocks": [{"type": "divider"}]}) == []


def test_every_part_is_rendered() -> None:
    text = json.dumps(render_blocks(KINDS["library"]), ensure_ascii=False)
    for words in ("Flask", "micro framework", "It does this.", "small services", "The name of", "Two sides", "Bottle"):
        assert words in text
